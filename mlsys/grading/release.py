"""From solutions/ to exercises/, and from marks to feedback, by nbgrader's own converters."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbgrader.api import MissingEntry
from nbgrader.converters import GenerateAssignment, GenerateFeedback

from mlsys.grading import demo
from mlsys.grading.cells import check_cell, grade_id, settings
from mlsys.grading.course import Course
from mlsys.grading.errors import ConversionError, CourseError
from mlsys.grading.journal import Journal, unfinished
from mlsys.problems import exercises, problem


def release(course: Course, assignment: str) -> Path:
    """Make the students' version and tell the gradebook of it; its folder.

    The old version is replaced only once the new one is complete. Raises CourseError if the set has no solutions,
    if nbgrader refuses, or if cells came or went since submissions were graded.
    """
    source = course.folder("source", ".", assignment)
    if not any(source.glob("*.ipynb")):
        raise CourseError(f"no problem set {assignment!r}: {source} holds no notebook.")
    _check_points(course, assignment)
    _make_way(course, assignment)
    target = course.folder("release", ".", assignment)
    scratch = course.root / ".mlsys"
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="release_", dir=scratch) as made:
        try:
            made_in = f"{scratch.name}/{Path(made).name}"
            course.convert(GenerateAssignment, assignment, ".", release_directory=made_in)
        except ConversionError as error:
            raise CourseError(f"{assignment} could not be released: {error}") from error
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        shutil.move(Path(made) / assignment, target)
    return target


def _check_points(course: Course, assignment: str) -> None:
    """Raise CourseError where a check cell carries other points than its exercise: the judge's are what is earned."""
    full = {check_cell(name): problem(name).points for name in exercises(assignment)}
    for path in sorted(course.folder("source", ".", assignment).glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            wanted, points = full.get(grade_id(cell)), settings(cell).get("points")
            if wanted is not None and points != wanted:
                raise CourseError(
                    f"cell {grade_id(cell)} of {path.name} carries {points} points, its exercise {wanted:g}. "
                    "Change both: the cell's, and `points` in the exercise's file under mlsys/problems/."
                )


def _make_way(course: Course, assignment: str) -> None:
    """Remove graded demo submissions that a changed set of cells would not fit.

    Raises CourseError if real students' are in the way: nbgrader keeps marks by cell.
    """
    new = {
        path.stem: {grade_id(cell) for cell in nbformat.read(path, as_version=4).cells} - {""}
        for path in course.folder("source", ".", assignment).glob("*.ipynb")
    }
    with course.gradebook() as gradebook:
        try:
            known = gradebook.find_assignment(assignment)
        except MissingEntry:
            return
        old = {book.name: {cell.name for cell in book.source_cells} for book in known.notebooks}
        students = sorted(submission.student.id for submission in known.submissions)
    real = [student for student in students if not student.startswith(demo.PREFIX)]
    if new == old or not students:
        return
    if real:
        changed = sorted(set().union(*new.values()) ^ set().union(*old.values()))
        raise CourseError(
            f"cells of {assignment} came or went ({', '.join(changed[:5])}) after {len(real)} students were graded "
            f"({', '.join(real[:3])}). Release the new version under another name, or back up gradebook.db and run: "
            f"nbgrader db assignment remove {assignment} --force"
        )
    demo.remove(course, assignment)


def feedback(course: Course, assignment: str, student: str) -> Path:
    """Write one graded student's feedback; its folder. Raises ConversionError if nbgrader gave up."""
    course.convert(GenerateFeedback, assignment, student)
    return course.folder("feedback", student, assignment)


def feedback_for_all(
    course: Course, assignment: str, students: Sequence[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """Write feedback for the students named, else for all who submitted: who has it, and why others have not.

    Raises CourseError if the set is not released, or if somebody named has neither handed in nor been graded.
    """
    course.notebooks(assignment)
    places = ("submitted", "autograded")
    unknown = [s for s in students if not any(course.folder(p, s, assignment).is_dir() for p in places)]
    if unknown:
        raise CourseError(f"nothing of {assignment} by {', '.join(sorted(set(unknown)))}. Is the name right?")
    known = Journal(course, assignment).entries()
    written: list[str] = []
    without: dict[str, str] = {}
    for student in sorted(set(students)) or course.students(assignment):
        reason = unfinished(course, assignment, student, known.get(student))
        if reason:
            without[student] = f"since {reason}: mlsys grade {assignment} --student {student}"
            continue
        try:
            feedback(course, assignment, student)
            written.append(student)
        except ConversionError as error:
            without[student] = f"nbgrader gave up ({error}); grade again, and look at the graded notebook"
    return written, without
