"""A course folder: its nbgrader settings, and nbgrader's own converters on them."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.apps.nbgraderapp import NbGrader
from nbgrader.converters import BaseConverter
from traitlets.config import Application

from mlsys.grading import database
from mlsys.grading.errors import ConversionError, CourseError


class Course:
    """The course in a folder that holds nbgrader_config.py.

    root : the folder;  api : nbgrader's NbGraderAPI under its settings
    db : the gradebook's URL, such as postgresql+psycopg://me@host/marks, in place of the settings' own
    Raises CourseError if there is no such file in it, or if that database cannot be used.
    """

    def __init__(self, root: Path | str = ".", db: str | None = None) -> None:
        self.root = Path(root).resolve()
        if not (self.root / "nbgrader_config.py").exists():
            raise CourseError(
                f"{self.root} holds no nbgrader_config.py. Run this in the course's folder, or pass --course."
            )
        _put_alembic_on_path()
        app = NbGrader()
        app.raise_config_file_errors = True
        Application.load_config_file(
            app, "nbgrader_config", str(self.root)
        )  # this one, not that of the shell's folder
        app.config.CourseDirectory.root = str(self.root)
        if db:
            app.config.CourseDirectory.db_url = db
        with _log():  # of an exchange folder that this course may not have
            self.api = NbGraderAPI(config=app.config)
        self.coursedir = self.api.coursedir
        with _quiet():
            database.prepare(self.coursedir.db_url, self.coursedir.course_id)

    @contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """The gradebook. Raises CourseError where the database cannot be used."""
        url = self.coursedir.db_url
        with database.usable(url), _quiet(), Gradebook(url, self.coursedir.course_id) as gradebook:
            yield gradebook

    @contextmanager
    def transaction(self, who: str) -> Iterator[Callable[[], None]]:
        """Meanwhile all that nbgrader writes is one transaction; what is yielded commits it, else it is undone.

        who : whose marks these are. Raises CourseError where the database cannot be used.
        """
        url = self.coursedir.db_url
        with database.usable(url), _quiet(), database.together(url, who) as commit:
            yield commit

    def folder(self, kind: str, student: str = ".", assignment: str = ".") -> Path:
        """Such as folder("submitted", "ada", "ps1-adaptive-rates"), or folder("release", ".", "ps1-adaptive-rates")."""
        directory = getattr(self.coursedir, f"{kind}_directory")
        return Path(self.coursedir.format_path(directory, student, assignment))

    def students(self, assignment: str) -> list[str]:
        """Who has a folder for this problem set under submitted/, in order."""
        submitted = self.folder("submitted")
        if not submitted.is_dir():
            return []
        names = (p.name for p in submitted.iterdir() if (p / assignment).is_dir())
        return sorted(name for name in names if not name.startswith("."))

    def notebooks(self, assignment: str) -> list[str]:
        """The file names of the released notebooks. Raises CourseError if the set is not released."""
        names = sorted(p.name for p in self.folder("release", ".", assignment).glob("*.ipynb"))
        with self.gradebook() as gradebook:
            known = {a.name for a in gradebook.assignments}
        if not names or assignment not in known:
            raise CourseError(f"{assignment} is not released. Run: mlsys release {assignment}")
        return names

    @contextmanager
    def using(self, **settings: str) -> Iterator[None]:
        """Other settings of nbgrader's course directory for a while; back again after a failure too."""
        before = {name: getattr(self.coursedir, name) for name in settings}
        try:
            for name, value in settings.items():
                setattr(self.coursedir, name, value)
            yield
        finally:
            for name, value in before.items():
                setattr(self.coursedir, name, value)

    def convert(
        self, converter: type[BaseConverter], assignment: str, student: str, **folders: str
    ) -> list[str]:
        """Run one of nbgrader's converters on one student ("." for the source); its warnings.

        folders : such as submitted_directory, relative to the course, in place of the configured ones
        Raises ConversionError where nbgrader gave up.
        """
        with _log() as lines, _quiet():
            try:
                with self.using(assignment_id=assignment, student_id=student, **folders):
                    app = converter(coursedir=self.coursedir, parent=self.api)
                    app.force = True
                    app.start()
            except (Exception, SystemExit) as error:
                raise ConversionError(_complaint(lines, error)) from error
            finally:
                os.environ.pop(
                    "NBGRADER_EXECUTION", None
                )  # nbgrader leaves it behind where a notebook failed
        return lines

    def formgrader(self, browser: bool, port: int) -> int:
        """Serve nbgrader's formgrader from the course's folder until it is ended; its exit status."""
        command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.port={port}", "--log-level=WARN"]
        command += [f"--ServerApp.root_dir={self.root}", f"--ServerApp.open_browser={browser}"]
        command += ["--LabApp.default_url=/formgrader"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--allow-root")  # as grading itself does
        try:
            return subprocess.call(command, cwd=self.root)
        except KeyboardInterrupt:
            return 0


def _put_alembic_on_path() -> None:
    """nbgrader starts `alembic` by name to set up the gradebook; it sits beside this Python."""
    beside = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", "").split(os.pathsep)
    if beside not in path:
        os.environ["PATH"] = os.pathsep.join([beside, *path])


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings of nbgrader's dependencies about nbgrader, which nobody here can act on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _log() -> Iterator[list[str]]:
    """What nbgrader logs meanwhile, kept rather than printed."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger, keep = logging.getLogger("traitlets"), Keep(logging.WARNING)
    logger.addHandler(keep)
    propagate, logger.propagate = logger.propagate, False
    try:
        yield lines
    finally:
        logger.removeHandler(keep)
        logger.propagate = propagate


def _complaint(lines: list[str], error: BaseException) -> str:
    """The last line of the innermost traceback that nbgrader logged, else the error itself."""
    for line in reversed(lines):
        if line.startswith("Traceback"):
            return line.strip().splitlines()[-1]
    text: Any = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
