"""Grade a class, one student at a time, so that no submission can harm another."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from nbgrader.converters import Autograde

from mlsys.grading.course import Course
from mlsys.grading.errors import ConversionError, CourseError
from mlsys.grading.intake import take_in
from mlsys.grading.scores import FLAGGED, GRADED, NOT_GRADED, Result, marks


def chosen(course: Course, assignment: str, students: Sequence[str] = ()) -> list[str]:
    """The students to grade: those named, else all who submitted. Raises CourseError for a name without work."""
    submitted = course.students(assignment)
    unknown = sorted(set(students) - set(submitted))
    if unknown:
        raise CourseError(
            f"no submission of {assignment} by {', '.join(unknown)}: "
            f"{course.folder('submitted', unknown[0], assignment)} is not a folder."
        )
    return sorted(set(students)) if students else submitted


def grade(course: Course, assignment: str, students: Sequence[str] = ()) -> Iterator[Result]:
    """Grade each student, and yield what became of it as soon as it is known.

    Raises CourseError before the first, if the set is not released or a named student has not submitted.
    """
    course.notebooks(assignment)
    for student in chosen(course, assignment, students):
        yield grade_one(course, assignment, student)


def grade_one(course: Course, assignment: str, student: str) -> Result:
    """Grade one submission again from the start, whatever an earlier run left."""
    scratch = course.root / ".mlsys"
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="submitted_", dir=scratch) as staging:
        intake = take_in(course, assignment, student, Path(staging) / student / assignment)
        reason = intake.reason
        if not reason:
            try:
                relative = str(Path(staging).relative_to(course.root))
                course.convert(Autograde, assignment, student, submitted=relative)
            except ConversionError as error:
                reason = str(error)
    status = NOT_GRADED if reason else FLAGGED if intake.flags else GRADED
    return Result(student, status, marks(course, assignment, student), intake.flags, reason)
