"""A course folder: its nbgrader settings, and nbgrader's own API on them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.apps.nbgraderapp import NbGrader


class Course:
    """The course in a folder that holds nbgrader_config.py.

    root : the folder;  api : nbgrader's NbGraderAPI under its settings
    Raises FileNotFoundError if there is no such file in it.
    """

    def __init__(self, root: Path | str = ".") -> None:
        self.root = Path(root).resolve()
        if not (self.root / "nbgrader_config.py").exists():
            raise FileNotFoundError(
                f"{self.root} holds no nbgrader_config.py. Run this in the course's folder, or pass --course."
            )
        # nbgrader starts `alembic` by name to set up the gradebook; it sits beside this Python.
        os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        app = NbGrader()
        app.config_file_paths.append(str(self.root))
        app.load_config_file()
        app.config.CourseDirectory.root = str(self.root)
        self.api = NbGraderAPI(config=app.config)
        self.coursedir = self.api.coursedir

    def gradebook(self) -> Gradebook:
        """The gradebook, to be used in a `with` statement."""
        return Gradebook(self.coursedir.db_url, self.coursedir.course_id)

    def folder(self, kind: str, student: str, assignment: str) -> Path:
        """Such as folder("submitted", "ada", "ps1-adaptive-rates")."""
        directory = getattr(self.coursedir, f"{kind}_directory")
        return Path(self.coursedir.format_path(directory, student, assignment))
