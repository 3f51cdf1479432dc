"""Problem set 1: adaptive learning rates."""

NAME = "ps1-adaptive-rates"

EXERCISES = (
    "polyak.step",
    "backtracking.search",
    "adagrad.history",
    "adagrad.running",
    "rmsprop.class",
    "adadelta.generator",
    "cost.count",
    "sparse.project",
)

# Absent while notebooks are graded: a call of these would be no answer.
TAUGHT = ("mlsys.optim", "mlsys.kernels", "mlsys.experiments")
