"""From solutions/ to exercises/, and from marks to feedback, by nbgrader's own converters."""

from __future__ import annotations

from pathlib import Path

from nbgrader.converters import GenerateAssignment, GenerateFeedback

from mlsys.grading.course import Course
from mlsys.grading.errors import ConversionError, CourseError


def release(course: Course, assignment: str) -> Path:
    """Make the students' version and tell the gradebook of it; its folder.

    Raises CourseError if the set has no solutions, or nbgrader refuses.
    """
    source = course.folder("source", ".", assignment)
    if not any(source.glob("*.ipynb")):
        raise CourseError(f"no problem set {assignment!r}: {source} holds no notebook.")
    try:
        course.convert(GenerateAssignment, assignment, ".")
    except ConversionError as error:
        raise CourseError(f"{assignment} could not be released: {error}") from error
    return course.folder("release", ".", assignment)


def feedback(course: Course, assignment: str, student: str) -> Path:
    """Write one graded student's feedback; its folder. Raises CourseError if nbgrader gave up."""
    course.convert(GenerateFeedback, assignment, student)
    return course.folder("feedback", student, assignment)
