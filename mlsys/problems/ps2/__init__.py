"""Problem set 2: the history of Adam."""

NAME = "ps2-adam-history"

EXERCISES = (
    "adam.step",
    "adamw.run",
    "amsgrad.class",
    "onecycle.schedule",
    "adamw.repair",
    "adam.counterexample",
    "tuning.study",
)

# Absent while notebooks are graded: a call of these would be no answer.
TAUGHT = ("mlsys.optim", "mlsys.kernels", "mlsys.experiments")
