"""Grade a class, one student at a time, so that no submission can harm another.

The student's files are copied, mended (intake, mend) and converted by nbgrader's Autograde from the copy, so that
`submitted/` is never written to. Which preprocessor executes the copy is nbgrader's own setting,
Autograde.autograde_preprocessors.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from nbgrader.converters import Autograde

from mlsys.grading.cells import exercise_of, grade_id, is_written, settings
from mlsys.grading.course import Course
from mlsys.grading.errors import ConversionError, CourseError
from mlsys.grading.intake import take_in
from mlsys.grading.mend import Unreadable, parse
from mlsys.grading.scores import FAILED, FLAGGED, GRADED, NOT_GRADED, Result, marks

REASONS = {
    "DeadKernelError": "the kernel died while it ran: some cell ends Python, crashes it, or fills the memory. "
    "Look at it by hand, mend a copy, and grade again.",
    "UnresponsiveKernelError": "a cell ran too long and could not be stopped. Look at it by hand.",
    "CellTimeoutError": "a cell ran too long and could not be stopped. Look at it by hand.",
}
STOPPED = ("CellTimeoutError", "KeyboardInterrupt")  # nobody else interrupts a kernel while it is graded


def chosen(course: Course, assignment: str, students: Sequence[str] = ()) -> list[str]:
    """The students to grade: those named, else all who submitted.

    Raises CourseError if the set is not released, nobody has submitted, or somebody named has not.
    """
    course.notebooks(assignment)
    submitted = course.students(assignment)
    unknown = sorted(set(students) - set(submitted))
    if unknown or not submitted:
        where = course.folder("submitted", unknown[0] if unknown else "STUDENT", assignment)
        raise CourseError(
            f"no submission of {assignment}{' by ' if unknown else ''}{', '.join(unknown)}. "
            f"Put the notebook into {where}{'' if unknown else f', or try: mlsys demo {assignment}'}."
        )
    return sorted(set(students)) if students else submitted


def misplaced(course: Course, assignment: str) -> list[str]:
    """What lies under submitted/ where no grader looks for it: who, where, and where it belongs."""
    submitted, found = course.folder("submitted"), []
    for path in sorted(submitted.iterdir()) if submitted.is_dir() else ():
        if path.name.startswith("."):
            continue
        here = [path] if path.suffix == ".ipynb" else sorted(path.glob("*.ipynb"))
        student = "STUDENT" if path.suffix == ".ipynb" else path.name
        where = course.folder("submitted", student, assignment).relative_to(course.root)
        found += [f"{p.relative_to(course.root)} was not looked at: put it into {where}" for p in here]
        if path.is_dir() and not any(path.iterdir()):
            found.append(f"{path.relative_to(course.root)} is empty: nothing was handed in")
    return found


def grade(course: Course, assignment: str, students: Sequence[str]) -> Iterator[Result]:
    """Grade each student from the start, whatever an earlier run left; yield what became of it."""
    for student in students:
        try:
            yield grade_one(course, assignment, student)
        except CourseError:
            raise
        except Exception as error:  # a fault of ours: the others are still graded, and the run fails
            yield Result(student, FAILED, {}, (), f"{type(error).__name__}: {error}")


def grade_one(course: Course, assignment: str, student: str) -> Result:
    """Grade one submission. Marks and comments by hand survive."""
    scratch = course.root / ".mlsys"
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="submitted_", dir=scratch) as staging:
        intake = take_in(course, assignment, student, Path(staging) / student / assignment)
        reason, flags = _unfit(student) or intake.reason, list(intake.flags)
        if not reason:
            try:
                taken = f"{scratch.name}/{Path(staging).name}"
                before = _written(course, assignment, student)
                course.convert(Autograde, assignment, student, submitted_directory=taken)
                flags += _failures(course, assignment, student)
                flags += _changed(course, assignment, student, before)
            except ConversionError as error:
                reason = _explained(str(error))
    if reason:
        _void(course, assignment, student)
    status = NOT_GRADED if reason else FLAGGED if flags else GRADED
    return Result(student, status, marks(course, assignment, student), tuple(flags), reason)


def _unfit(student: str) -> str:
    """Why nbgrader cannot find a student of this name, if it cannot: it looks names up as patterns."""
    if set(student) & set("+*?[]") or student != student.strip():
        return "nbgrader takes none of + * ? [ ] in a student's name. Rename the folder, and grade again."
    return ""


def _explained(complaint: str) -> str:
    """nbgrader's complaint in words that help."""
    name = complaint.split(":")[0].split(".")[-1]
    return REASONS.get(name, f"nbgrader gave up on it ({complaint}). Look at it by hand.")


def _failures(course: Course, assignment: str, student: str) -> list[str]:
    """The test cells that ended in an error, and the cells that ran too long."""
    flags = []
    for path in sorted(course.folder("autograded", student, assignment).glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            error = next((o for o in cell.get("outputs", ()) if o.output_type == "error"), None)
            stopped = error is not None and error.ename in STOPPED
            if error is None or not (stopped or settings(cell).get("grade")):
                continue
            name = exercise_of(assignment, grade_id(cell))
            what = (
                f"{name}: its test cell"
                if settings(cell).get("grade")
                else f"cell {name or 'without a name'}"
            )
            how = "ran too long and was stopped" if stopped else f"raised {error.ename}: {error.evalue}"
            flags.append(f"{what} {how}".rstrip(": "))
    return flags


def _written(course: Course, assignment: str, student: str) -> dict[str, str]:
    """The written answers as they were graded last."""
    found: dict[str, str] = {}
    for path in course.folder("autograded", student, assignment).glob("*.ipynb"):
        with contextlib.suppress(Unreadable):  # an earlier run may have left it half-done
            cells = parse(path.read_bytes()).cells
            found |= {grade_id(cell): cell.source for cell in cells if is_written(cell)}
    return found


def _changed(course: Course, assignment: str, student: str, before: dict[str, str]) -> list[str]:
    """The written answers whose mark by hand was given to another text."""
    now = _written(course, assignment, student)
    with course.gradebook() as gradebook:
        books = gradebook.find_submission(assignment, student).notebooks
        marked = {g.name: g.manual_score for b in books for g in b.grades if g.manual_score is not None}
    return [
        f"{name} has changed since it was marked with {marked[name]:g} points: mark it again"
        for name in sorted(now)
        if name in marked and before.get(name, now[name]) != now[name]
    ]


def _void(course: Course, assignment: str, student: str) -> None:
    """Nothing of an earlier run passes for this one's: no graded notebook, no feedback, no automatic points."""
    for kind in ("autograded", "feedback"):
        shutil.rmtree(course.folder(kind, student, assignment), ignore_errors=True)
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student(student)
        submission = gradebook.update_or_create_submission(assignment, student)
        for grade in (g for notebook in submission.notebooks for g in notebook.grades):
            grade.auto_score = 0.0
            grade.needs_manual_grade = False
        gradebook.db.commit()
