"""Problem set 1: adaptive learning rates."""

EXERCISES = ("adagrad.running",)
