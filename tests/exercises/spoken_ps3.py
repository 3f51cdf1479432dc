"""Problem set 3: what is said to mistakes that have no hint, as the case's own message says it."""

SPOKEN = {
    ("radam.rectification", "absolute"): "r at t = 1 with beta2 = 0.999 should be 0",
    ("rate.variance", "gamma_overflows"): "raised OverflowError: math range error",
    ("rate.variance", "from_the_first_step"): "raised ValueError: math domain error",
    ("warmup.study", "steps_from_one"): "the steps are 0 to 59, in every run",
    ("warmup.study", "longer_with_warm_up"): "2 rows of 16 runs of 60 steps make 1920",
    ("warmup.study", "gradient_twice"): "gradient was called 3840 times. Both rows get the same budget",
    ("warmup.study", "natural_logarithm"): "The table is right. Usable without warm-up are the rates",
    ("warmup.study", "ratio_alone"): "decades; you have",
    ("warmup.study", "difference"): "The table is right. Usable without warm-up are the rates",
    ("warmup.study", "target_absolute"): "whose final loss is at most target * loss(start) = ",
    ("warmup.study", "unusable"): "The table is right. Usable without warm-up are the rates",
}
