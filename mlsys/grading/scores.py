"""What the gradebook says of a submission, by exercise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from nbgrader.api import Grade, MissingEntry, SubmittedNotebook
from sqlalchemy.orm import joinedload

from mlsys.grading.cells import exercise_of
from mlsys.grading.course import Course
from mlsys.problems import exercises

GRADED, FLAGGED, NOT_GRADED, FAILED = "graded", "flagged", "not graded", "failed"


@dataclass(frozen=True)
class Mark:
    """One exercise's points. score : None while it waits for a mark by hand."""

    score: float | None
    max_score: float
    written: bool


@dataclass(frozen=True)
class Result:
    """What became of one submission.

    status : GRADED, FLAGGED (graded too), NOT_GRADED, or FAILED, which is a fault of the grader and no final status
    reason : why it was not graded, with the remedy
    flags : what was odd and was mended;  marks : by exercise, empty if there are none
    redone : why an earlier run's work on it was done again, or empty
    """

    student: str
    status: str
    marks: dict[str, Mark]
    flags: tuple[str, ...] = ()
    reason: str = ""
    redone: str = ""

    @property
    def total(self) -> float:
        """The points so far."""
        return sum(mark.score or 0.0 for mark in self.marks.values())

    @property
    def max_total(self) -> float:
        """The points of the whole set."""
        return sum(mark.max_score for mark in self.marks.values())

    @property
    def awaiting(self) -> tuple[str, ...]:
        """The written answers still to be marked by hand."""
        return tuple(name for name, mark in self.marks.items() if mark.score is None)

    def row(self) -> dict[str, Any]:
        """The same for a machine to read."""
        return asdict(self) | {"total": self.total, "max_total": self.max_total, "awaiting": self.awaiting}


def marks(course: Course, assignment: str, student: str) -> dict[str, Mark]:
    """The marks in the gradebook, coded exercises first, in their order; none if there is no submission."""
    found: dict[str, Mark] = {}
    with course.gradebook() as gradebook:
        try:
            submission = gradebook.find_submission(assignment, student)
        except MissingEntry:
            return {}
        for grade in (
            gradebook.db.query(Grade)  # with their cells, which would else be asked for one by one
            .join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
            .filter(SubmittedNotebook.assignment_id == submission.id)
            .options(joinedload(Grade.cell))
        ):
            score = None if _waits(grade) else float(grade.score)
            written = grade.cell.cell_type == "markdown"
            found[exercise_of(assignment, grade.cell.name)] = Mark(score, float(grade.max_score), written)
    order = {name: place for place, name in enumerate(exercises(assignment))}
    return dict(sorted(found.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))


def _waits(grade: Any) -> bool:
    """Whether a person has yet to mark it."""
    return grade.manual_score is None and grade.auto_score is None
