"""One submission on its way: taken in, run in a sandbox, settled, saved."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from mlsys.grading.cells import exercise_of, grade_id, is_written, settings
from mlsys.grading.course import Course
from mlsys.grading.engine.executor import Executed
from mlsys.grading.errors import ConversionError
from mlsys.grading.intake import take_in
from mlsys.grading.ledger import settle
from mlsys.grading.replay import Replayed, complete
from mlsys.grading.scores import FLAGGED, GRADED, NOT_GRADED, Result, marks

STOPPED = ("CellTimeoutError", "KeyboardInterrupt")  # nobody else interrupts a kernel while it is graded


@dataclass
class Submission:
    """A student's work on a problem set. folder : scratch of its own, removed by `close`

    notebooks : by name, ready to be run;  reason : why it cannot be graded, or empty;  flags : what was odd so far
    """

    course: Course
    assignment: str
    student: str
    folder: Path = field(init=False)
    notebooks: dict[str, Any] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    reason: str = ""

    def prepare(self) -> None:
        """Copy what was handed in, mend it, and make of it what nbgrader would execute."""
        scratch = self.course.root / ".mlsys"
        scratch.mkdir(exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="grading_", dir=scratch))
        intake = take_in(self.course, self.assignment, self.student, self.staged)
        self.flags, self.reason = list(intake.flags), _unfit(self.student) or intake.reason
        if not self.reason:
            for path in sorted(self.staged.glob("*.ipynb")):
                if path.name in self.course.notebooks(self.assignment):
                    self.notebooks[path.stem] = complete(self.course, self.assignment, self.student, path)

    @property
    def staged(self) -> Path:
        """Where the copy lies, as nbgrader wants it."""
        return self.folder / "submitted" / self.student / self.assignment

    def finish(self, executed: dict[str, Executed]) -> Result:
        """Save the scores and put the graded notebooks in their place. Marks and comments by hand survive.

        executed : by name of the notebook
        """
        for done in executed.values():
            self.flags += dict.fromkeys(done.flags)
            if done.reason:
                self.flags.append(f"stopped: {done.reason}; the cells after that were not run")
            self.flags += settle(done.notebook, self.assignment, done.ledger)
        if not self.reason:
            before = _written(self.course, self.assignment, self.student)
            try:
                notebooks = {name: done.notebook for name, done in executed.items()}
                self._convert(notebooks)
                self.flags += _failures(self.assignment, notebooks)
                self.flags += _changed(self.course, self.assignment, self.student, before)
            except ConversionError as error:
                self.reason = f"nbgrader gave up on it ({error}). Look at it by hand."
        if self.reason:
            _void(self.course, self.assignment, self.student)
        status = NOT_GRADED if self.reason else FLAGGED if self.flags else GRADED
        found = marks(self.course, self.assignment, self.student)
        return Result(self.student, status, found, tuple(self.flags), self.reason)

    def _convert(self, notebooks: dict[str, Any]) -> None:
        """Render beside, and move into place when all of it is there."""
        scratch = self.folder.relative_to(self.course.root)
        converter = type("Converter", (Replayed,), {"executed": notebooks})
        self.course.convert(
            converter,
            self.assignment,
            self.student,
            submitted_directory=str(scratch / "submitted"),
            autograded_directory=str(scratch / "autograded"),
        )
        made = self.folder / "autograded" / self.student / self.assignment
        _replace(made, self.course.folder("autograded", self.student, self.assignment))

    def close(self) -> None:
        """Take the scratch away."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _replace(made: Path, there: Path) -> None:
    """Move a folder into place, in which there is then the old one or the new one, and no half of either."""
    for path in made.rglob("*"):
        fd = os.open(path, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
    there.parent.mkdir(parents=True, exist_ok=True)
    old = made.with_name(f"{made.name}.old")
    if there.exists():
        there.rename(old)
    made.rename(there)


def _unfit(student: str) -> str:
    """Why nbgrader cannot find a student of this name, if it cannot: it looks names up as patterns."""
    if set(student) & set("+*?[]") or student != student.strip():
        return "nbgrader takes none of + * ? [ ] in a student's name. Rename the folder, and grade again."
    return ""


def _failures(assignment: str, notebooks: dict[str, Any]) -> list[str]:
    """The test cells that ended in an error, and the cells that ran too long."""
    flags = []
    for cell in (cell for notebook in notebooks.values() for cell in notebook.cells):
        error = next((o for o in cell.get("outputs", ()) if o.output_type == "error"), None)
        stopped = error is not None and error.ename in STOPPED
        if error is None or not (stopped or settings(cell).get("grade")):
            continue
        name = exercise_of(assignment, grade_id(cell))
        tested = settings(cell).get("grade")
        what = f"{name}: its test cell" if tested else f"cell {name or 'without a name'}"
        how = "ran too long and was stopped" if stopped else f"raised {error.ename}: {error.evalue}"
        flags.append(f"{what} {how}".rstrip(": "))
    return flags


def _written(course: Course, assignment: str, student: str) -> dict[str, str]:
    """The written answers as they were graded last."""
    found: dict[str, str] = {}
    for path in course.folder("autograded", student, assignment).glob("*.ipynb"):
        with contextlib.suppress(
            ValueError, AttributeError, TypeError
        ):  # an earlier grader may have left half of it
            cells = nbformat.from_dict(json.loads(path.read_bytes())).cells
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
