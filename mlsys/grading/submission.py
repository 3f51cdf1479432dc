"""One submission on its way: taken in, run in a sandbox, settled, saved."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import shorten
from typing import Any, NamedTuple

import nbformat
from nbgrader.api import Gradebook, MissingEntry

from mlsys.grading import crash
from mlsys.grading.causes import LATE
from mlsys.grading.cells import exercise_of, grade_id, is_written, settings
from mlsys.grading.course import Course
from mlsys.grading.disk import swapped, sync_tree
from mlsys.grading.engine.executor import Executed
from mlsys.grading.errors import ConversionError
from mlsys.grading.intake import take_in
from mlsys.grading.ledger import settle
from mlsys.grading.replay import Replayed, complete
from mlsys.grading.scores import Result, marks, settled

MOST_FLAGS, FLAG_CHARS = 100, 300
PREFIX, ASIDE = "grading_", "aside"  # of scratch folders, and the folder in them for what is displaced


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
        if not self.course.folder("submitted", self.student, self.assignment).is_dir():
            raise FileNotFoundError("the submission was taken away while the class was graded")
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=scratch))
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

    def finish(self, executed: dict[str, Executed], begin: Callable[[], None]) -> Result:
        """Save the scores and put the graded notebooks in their place. Marks and comments by hand survive.

        executed : by name of the notebook;  begin() is called before anything that others see is changed
        Raises what the machine does wrong, a full disk for one; then all is as it was.
        """
        for done in executed.values():
            self.flags += dict.fromkeys(done.flags)
            if done.reason:
                self.flags.append(f"stopped: {done.reason}; the cells after that were not run")
            self.flags += settle(done.notebook, self.assignment, done.ledger, done.reason)
        notebooks = {name: done.notebook for name, done in executed.items()}
        if not self.reason:
            try:
                self._save(notebooks, begin)
            except ConversionError as error:
                self.reason = f"nbgrader gave up on it ({error}). Look at it by hand."
        if self.reason:
            self._void(begin)
        found = marks(self.course, self.assignment, self.student)
        return settled(self.student, found, _brief(self.flags), self.reason)

    def _save(self, notebooks: dict[str, Any], begin: Callable[[], None]) -> None:
        """Render beside; then move into place, and commit."""
        course, assignment, student = self.course, self.assignment, self.student
        before = _written(course.folder("autograded", student, assignment))
        with course.transaction(f"{student} in {assignment}") as commit:
            marked = self._marked()
            made = self._render(notebooks)
            self._look_again(marked, before, _written(made))
            sync_tree(made)
            crash.point("rendered")
            begin()
            crash.point("begun")
            with swapped([(made, *self._places("autograded"))]):
                crash.point("renamed")
                commit()
            crash.point("committed")
        self.flags += _failures(assignment, notebooks)

    def _marked(self) -> dict[str, _Marked]:
        """What carries a mark by hand, by cell."""
        with self.course.gradebook() as gradebook:
            return {
                row.cell.name: _Marked(bool(row.needs_manual_grade), row.auto_score)
                for row in _by_hand(gradebook, self.assignment, self.student)
            }

    def _look_again(self, marked: dict[str, _Marked], before: dict[str, str], now: dict[str, str]) -> None:
        """Let formgrader ask a person again where what was marked has changed, and only there.

        nbgrader would ask for every mark by hand. marked, before : the marks and written answers of the run before
        """
        with self.course.gradebook() as gradebook:
            for row in _by_hand(gradebook, self.assignment, self.student):
                name = row.cell.name
                old = marked.get(name, _Marked(False, row.auto_score))
                same = before.get(name, now[name]) == now[name] if name in now else old.auto == row.auto_score
                row.needs_manual_grade = old.waits or not same
            gradebook.db.commit()

    def _render(self, notebooks: dict[str, Any]) -> Path:
        """nbgrader's one conversion; the folder that it made."""
        scratch = self.folder.relative_to(self.course.root)
        faults: list[BaseException] = []
        try:
            self.course.convert(
                type(
                    "Converter", (Replayed,), {"executed": notebooks, "faults": faults, "flags": self.flags}
                ),
                self.assignment,
                self.student,
                submitted_directory=str(scratch / "submitted"),
                autograded_directory=str(scratch / "autograded"),
            )
        except ConversionError:
            if faults:
                raise faults[0] from None
            raise
        return self.folder / "autograded" / self.student / self.assignment

    def _void(self, begin: Callable[[], None]) -> None:
        """Nothing of an earlier run passes for this one's: no graded notebook, no feedback, no automatic points."""
        course, student = self.course, self.student
        with course.transaction(f"{student} in {self.assignment}") as commit:
            with course.gradebook() as gradebook:
                gradebook.update_or_create_student(student)
                submission = gradebook.update_or_create_submission(self.assignment, student)
                for grade in (g for notebook in submission.notebooks for g in notebook.grades):
                    grade.auto_score = 0.0
                    grade.needs_manual_grade = False
                gradebook.db.commit()
            begin()
            crash.point("begun")
            with swapped([(None, *self._places(kind)) for kind in ("autograded", "feedback")]):
                crash.point("renamed")
                commit()
            crash.point("committed")

    def _places(self, kind: str) -> tuple[Path, Path]:
        """Where a student's folder of this kind belongs, and where what is there goes meanwhile."""
        aside = self.folder / ASIDE / kind / self.student / self.assignment
        return self.course.folder(kind, self.student, self.assignment), aside

    def close(self) -> None:
        """Take the scratch away."""
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder, ignore_errors=True)


def _unfit(student: str) -> str:
    """Why nbgrader cannot find a student of this name, if it cannot: it looks names up as patterns."""
    if set(student) & set("+*?[]") or student != student.strip():
        return "nbgrader takes none of + * ? [ ] in a student's name. Rename the folder, and grade again."
    return ""


def _brief(flags: list[str]) -> tuple[str, ...]:
    """The flags as a person can read them: each once, none too long, and not too many."""
    short = [shorten(flag, FLAG_CHARS, placeholder=" …") for flag in dict.fromkeys(flags)]
    more = len(short) - MOST_FLAGS
    return (*short[:MOST_FLAGS], *[f"and {more:,} more that is odd"] * (more > 0))


def _failures(assignment: str, notebooks: dict[str, Any]) -> list[str]:
    """The test cells that ended in an error, and the cells that ran too long."""
    flags = []
    for cell in (cell for notebook in notebooks.values() for cell in notebook.cells):
        errors = [output for output in cell.get("outputs", ()) if output.output_type == "error"]
        error, stopped = next(iter(errors), None), any(e.ename == LATE for e in errors)
        if error is None or not (stopped or settings(cell).get("grade")):
            continue
        name = exercise_of(assignment, grade_id(cell))
        tested = settings(cell).get("grade")
        what = f"{name}: its test cell" if tested else f"cell {name or 'without a name'}"
        how = "ran too long and was stopped" if stopped else f"raised {error.ename}: {error.evalue}"
        flags.append(f"{what} {how}".rstrip(": "))
    return flags


def _written(folder: Path) -> dict[str, str]:
    """The written answers in graded notebooks."""
    found: dict[str, str] = {}
    for path in folder.glob("*.ipynb"):
        with contextlib.suppress(
            ValueError, AttributeError, TypeError
        ):  # an earlier grader may have left half of it
            cells = nbformat.from_dict(json.loads(path.read_bytes())).cells
            found |= {grade_id(cell): cell.source for cell in cells if is_written(cell)}
    return found


class _Marked(NamedTuple):
    """What a row with a mark by hand was. waits : for a person to look again;  auto : what the check gave"""

    waits: bool
    auto: float | None


def _by_hand(gradebook: Gradebook, assignment: str, student: str) -> list[Any]:
    """The gradebook's rows that carry a mark by hand."""
    try:
        books = gradebook.find_submission(assignment, student).notebooks
    except MissingEntry:
        return []
    return [row for book in books for row in book.grades if row.manual_score is not None]
