"""Where the exercises are: a package a problem set, a module an exercise, its grader's half in `grader/`.

A set is there once its package is: a new one changes nothing here. The grader's half is imported only when it is asked
for, so that it can be absent where students' code runs.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

from mlsys.problems.problem import Grader, Problem


def _found() -> dict[str, str]:
    """The packages beside this module by the NAME of their set, ps9 before ps10."""
    beside = pkgutil.iter_modules([str(Path(__file__).parent)])
    packages = sorted((f"mlsys.problems.{found.name}" for found in beside if found.ispkg), key=_place)
    return {importlib.import_module(package).NAME: package for package in packages}


def _place(package: str) -> tuple[int, str]:
    return len(package), package


SETS = _found()


def exercises(assignment: str) -> tuple[str, ...]:
    """The names of a problem set's exercises, in their order.

    Raises ValueError for a set that does not exist.
    """
    if assignment not in SETS:
        raise ValueError(f"no problem set {assignment!r}. There are: {', '.join(SETS)}.")
    return importlib.import_module(SETS[assignment]).EXERCISES


def set_of(name: str) -> str:
    """The problem set that an exercise is in. Raises ValueError for a name that does not exist."""
    for assignment in SETS:
        if name in exercises(assignment):
            return assignment
    known = ", ".join(name for assignment in SETS for name in exercises(assignment))
    raise ValueError(f"no exercise {name!r}. There are: {known}.")


def problem(name: str) -> Problem:
    """The public half of an exercise. Raises ValueError for a name that does not exist."""
    return _module(name, "").PROBLEM


def grader(name: str) -> Grader:
    """The grader's half of an exercise. Raises ValueError for a name that does not exist."""
    return _module(name, ".grader").GRADER


def _module(name: str, half: str) -> Any:
    return importlib.import_module(f"{SETS[set_of(name)]}{half}.{name.replace('.', '_')}")
