"""Release, check, grade, feedback, demo class: on nbgrader's own API and files."""

from mlsys.grading.check import check, practice

__all__ = ["check", "practice"]
