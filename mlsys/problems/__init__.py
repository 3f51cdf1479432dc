"""The exercises as data: what is asked (public half), and how it is judged (grader's half)."""

from mlsys.problems.registry import SETS, exercises, grader, problem

__all__ = ["SETS", "exercises", "grader", "problem"]
