"""Problem set 1: what is said to mistakes that have no hint, as the case's own message says it."""

SPOKEN = {
    (
        "adadelta.generator",
        "ten_points",
    ): "The generator ended after 10 points; it should go on for ever: while True.",
    ("adadelta.generator", "thousand_points"): "ended after 1000 points",
    (
        "adadelta.generator",
        "gradient_twice",
    ): "gradient was called 10 times for 5 of them: call it once a step",
    (
        "backtracking.search",
        "one_too_many",
    ): "There were 7 trials. limit = 7 counts f(w) too, so 6 are allowed.",
    (
        "backtracking.search",
        "limit_trials",
    ): "There were 7 trials. limit = 7 counts f(w) too, so 6 are allowed.",
    ("backtracking.search", "one_too_few"): "There were 2 trials, and 3 are needed. limit = 4 allows 3.",
    ("sparse.project", "no_floor"): "Your weights contain nan",
    ("sparse.project", "over_budget"): "0 of 3000 evaluations are left, 1 were asked for",
}
