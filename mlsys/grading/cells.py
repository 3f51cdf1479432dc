"""Which cell of a notebook belongs to which exercise."""

from __future__ import annotations

from typing import Any

from mlsys.problems import exercises


def answer_cell(name: str) -> str:
    """The grade_id of the cell that the student fills in: adagrad.running -> adagrad-running."""
    return name.replace(".", "-")


def check_cell(name: str) -> str:
    """The grade_id of the cell that carries the points: adagrad.running -> adagrad-running-check."""
    return f"{answer_cell(name)}-check"


def exercise_of(assignment: str, grade_id: str) -> str:
    """The exercise that a graded cell belongs to; a written answer, which has no check, is its own."""
    return {check_cell(name): name for name in exercises(assignment)}.get(grade_id, grade_id)


def settings(cell: Any) -> dict[str, Any]:
    """nbgrader's settings of a cell; empty for a cell that is not its own, or whose settings are not a table."""
    found = cell.metadata.get("nbgrader")
    return found if isinstance(found, dict) else {}


def grade_id(cell: Any) -> str:
    """nbgrader's name of a cell, or "" for a cell that is not its own."""
    name = settings(cell).get("grade_id")
    return name if isinstance(name, str) else ""


def is_written(cell: Any) -> bool:
    """Whether the cell is an answer marked by hand: the student's text, and points."""
    return bool(settings(cell).get("grade") and settings(cell).get("solution"))
