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
    """One exercise's points.

    score : None while it waits for a mark by hand
    again : whether it was marked by hand and has changed since, so that a person has to look again
    """

    score: float | None
    max_score: float
    written: bool
    again: bool = False


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
        """What is still to be marked by hand, or marked again."""
        return tuple(name for name, mark in self.marks.items() if mark.score is None or mark.again)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should read: the flags, and the marks that are of something else by now."""
        return self.flags + tuple(
            f"{name} has changed since it was marked with {mark.score:g} points: mark it again"
            for name, mark in self.marks.items()
            if mark.again
        )

    def row(self) -> dict[str, Any]:
        """The same for a machine to read."""
        more = {"total": self.total, "max_total": self.max_total, "awaiting": self.awaiting}
        return asdict(self) | {"flags": self.remarks} | more


def settled(student: str, found: dict[str, Mark], flags: tuple[str, ...], reason: str) -> Result:
    """The result of a submission that has been saved."""
    odd = flags or any(mark.again for mark in found.values())
    return Result(student, NOT_GRADED if reason else FLAGGED if odd else GRADED, found, flags, reason)


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
            again = grade.manual_score is not None and bool(grade.needs_manual_grade)
            name = exercise_of(assignment, grade.cell.name)
            found[name] = Mark(score, float(grade.max_score), written, again)
    order = {name: place for place, name in enumerate(exercises(assignment))}
    return dict(sorted(found.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))


def _waits(grade: Any) -> bool:
    """Whether a person has yet to mark it."""
    return grade.manual_score is None and grade.auto_score is None
