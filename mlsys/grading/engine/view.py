"""What of the package students' code can import while it is graded: a copy without what it must not see.

Absent are the grader's half of the problems, the modules that the problem set teaches (a call of them would be no
answer), and the instructor's side of grading.
"""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import mlsys
from mlsys.problems import SETS

PACKAGE = Path(mlsys.__file__).parent
# Of the rooms that are not whole: the files that are there.
PARTS = {
    "grading": ("__init__.py", "check.py", "errors.py", "secret.py"),
    "grading/engine": ("__init__.py", "answering.py", "kernel.py", "unsafe.py", "warm.py", "wire.py"),
    "grading/sandbox": ("*.py",),
    "problems": ("__init__.py", "attempt.py", "coerce.py", "problem.py", "registry.py"),
}
WHOLE = ("core", "data", "models", "report")


def taught(assignment: str) -> tuple[str, ...]:
    """The modules that a problem set teaches, and what is built on them. Raises ValueError for an unknown set."""
    if assignment not in SETS:
        raise ValueError(f"no problem set {assignment!r}. There are: {', '.join(SETS)}.")
    return importlib.import_module(SETS[assignment]).TAUGHT


def make(assignment: str, folder: Path) -> Path:
    """Copy what a problem set's notebooks may import to folder/mlsys; the folder."""
    absent = taught(assignment)
    target = folder / "mlsys"
    for room in WHOLE:
        if f"mlsys.{room}" not in absent and (PACKAGE / room).is_dir():
            _copy(PACKAGE / room, target / room, ("**/*",))
    for room, patterns in PARTS.items():
        _copy(PACKAGE / room, target / room, patterns)
    for package in SETS.values():
        room = package.removeprefix("mlsys.").replace(".", "/")
        _copy(PACKAGE / room, target / room, ("*.py",))  # and not the folder grader/ in it
    _copy(PACKAGE, target, ("__init__.py",))
    return folder


def _copy(source: Path, target: Path, patterns: tuple[str, ...]) -> None:
    for path in (p for pattern in patterns for p in source.glob(pattern)):
        if path.is_file() and "__pycache__" not in path.parts:
            there = target / path.relative_to(source)
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, there)
            there.chmod(0o444)
