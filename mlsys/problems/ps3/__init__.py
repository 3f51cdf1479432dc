"""Problem set 3: warm-up."""

NAME = "ps3-warm-up"

EXERCISES = (
    "warmup.schedule",
    "steps.first",
    "radam.rectification",
    "radam.class",
    "rate.variance",
    "warmup.study",
    "large.batch",
)

# Absent while notebooks are graded: a call of these would be no answer.
TAUGHT = ("mlsys.optim", "mlsys.kernels", "mlsys.experiments")
