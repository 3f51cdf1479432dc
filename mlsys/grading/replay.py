"""nbgrader's Autograde with the execution taken out: the notebook has been run, in a sandbox, when it comes here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Comment, Grade, Gradebook
from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute, NbGraderPreprocessor, OverwriteCells, SaveAutoGrades
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import joinedload

from mlsys.grading.course import Course
from mlsys.grading.disk import machine_fault
from mlsys.grading.inert import defuse


class Replay(NbGraderPreprocessor):
    """In place of Execute: the outputs of a run that is over."""

    def __init__(self, executed: dict[str, Any], flags: list[str], **settings: Any) -> None:
        super().__init__(**settings)
        self.executed, self.flags = executed, flags

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Give the cells what they showed. Raises ValueError if they are not the cells that were run."""
        ran = [c for c in self.executed[resources["nbgrader"]["notebook"]].cells if c.cell_type == "code"]
        cells = [c for c in nb.cells if c.cell_type == "code"]
        if [c.source for c in cells] != [c.source for c in ran]:
            raise ValueError(
                "nbgrader's cells are not those that were run. Release the set again: mlsys release"
            )
        for cell, done in zip(cells, ran, strict=True):
            cell.outputs, cell.execution_count = _joined(done.outputs), done.execution_count
        self.flags += defuse(nb)
        return nb, resources


def _joined(outputs: list[Any]) -> list[Any]:
    """What was printed as one text: in how many pieces it came is chance, and two runs would be saved differently.

    Not so on stderr, of which nbgrader leaves out a piece that looks like a warning.
    """
    found: list[Any] = []
    for output in outputs:
        last = found[-1] if found else {}
        if output.get("name") == last.get("name") == "stdout":
            last["text"] += output["text"]
        else:
            found.append(output)
    return found


class SaveTogether(SaveAutoGrades):
    """nbgrader's saving of the scores: the rows of all cells are read at once, and none is forgotten after each."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        about = resources["nbgrader"]
        self.notebook_id, self.assignment_id = about["notebook"], about["assignment"]
        self.student_id, self.db_url = about["student"], about["db_url"]
        self.gradebook = Gradebook(self.db_url)
        with self.gradebook:
            session: Any = self.gradebook.db
            commit, session.commit = session.commit, session.flush
            submission = self.gradebook.find_submission_notebook(
                self.notebook_id, self.assignment_id, self.student_id
            )
            rows = {
                kind: {row.cell.name: row for row in _with_cells(session, kind, submission.id)}
                for kind in (Grade, Comment)
            }
            found: Any = self.gradebook
            found.find_grade = lambda name, *_: rows[Grade][name]
            found.find_comment = lambda name, *_: rows[Comment][name]
            nb, resources = NbGraderPreprocessor.preprocess(self, nb, resources)
            commit()
        return nb, resources


def _with_cells(session: Any, kind: Any, notebook: str) -> Any:
    """The grades or comments of a submitted notebook."""
    return session.query(kind).filter(kind.notebook_id == notebook).options(joinedload(kind.cell))


class Replayed(Autograde):
    """Autograde of notebooks that were run before.

    executed : by name, without the suffix;  flags : to hold what was odd
    faults : to hold what the machine did wrong, which nbgrader swallows
    """

    executed: dict[str, Any]
    flags: list[str]
    faults: list[BaseException]

    def start(self) -> None:
        swapped = {Execute: Replay(self.executed, self.flags, parent=self), SaveAutoGrades: SaveTogether}
        configured: Any = self.autograde_preprocessors  # type: ignore[has-type]
        self.autograde_preprocessors = [swapped.get(p, p) for p in configured]
        super().start()

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        with self._noting():
            super().init_assignment(assignment_id, student_id)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        with self._noting():
            super().convert_single_notebook(notebook_filename)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except (OSError, MemoryError, DBAPIError) as error:
            if isinstance(error, DBAPIError) or machine_fault(error):
                self.faults.append(error)
            raise


def complete(course: Course, assignment: str, student: str, path: Path) -> Any:
    """A mended notebook with nbgrader's own text of every locked cell, hidden tests included: what is to be run."""
    converter = Autograde(coursedir=course.coursedir, parent=course.api)
    about = {"student": student, "assignment": assignment, "notebook": path.stem}
    resources = {"nbgrader": {**about, "db_url": course.coursedir.db_url}}
    notebook = nbformat.read(path, as_version=4)
    notebook, _ = OverwriteCells(parent=converter).preprocess(notebook, resources)
    return notebook
