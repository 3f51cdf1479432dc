"""Before grading: a copy of what a student handed in, mended where it can be, with every oddity named."""

from __future__ import annotations

import functools
import json
import os
import shutil
import textwrap
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbgrader.utils import parse_utc

from mlsys.grading.cells import grade_id
from mlsys.grading.course import Course
from mlsys.grading.disk import machine_fault
from mlsys.grading.files import entries, plain
from mlsys.grading.mend import TooMuch, Unreadable, mend, parse

MOST_BYTES, MOST_FILES = 50 << 20, 2000  # of one submission, folders counted; an honest one has a hundredth
PATH_BYTES = 1000  # of a file within it: beneath the course's folder and in the box it is longer


@dataclass(frozen=True)
class Intake:
    """flags : what was odd and was mended;  reason : why it cannot be graded and what to do, or empty."""

    flags: tuple[str, ...] = ()
    reason: str = ""


def take_in(course: Course, assignment: str, student: str, staging: Path) -> Intake:
    """Copy a submission to `staging`, ready for nbgrader; the student's own files are never written to."""
    flags = _copy(course.folder("submitted", student, assignment), staging)
    wanted = course.notebooks(assignment)
    try:
        for name in wanted:
            released = _released((course.folder("release", ".", assignment) / name).read_bytes())
            flags += _find(staging, name, wanted, {grade_id(cell) for cell in released.cells} - {""})
            flags += _mend(staging / name, released)
    except Unreadable as error:
        return Intake(tuple(flags), str(error))
    return Intake(tuple(flags))


@functools.lru_cache(maxsize=8)
def _released(data: bytes) -> nbformat.NotebookNode:
    """A released notebook, read once for the class; nobody changes it."""
    return parse(data)


def _copy(source: Path, staging: Path) -> list[str]:
    """Copy the plain files; links, sockets, what cannot be read and what is too much are named and left out."""
    staging.mkdir(parents=True)
    flags, left, made = [], MOST_BYTES, set[Path]()
    for path in entries(source):
        inside = path.relative_to(source)
        if ".ipynb_checkpoints" in inside.parts:
            continue
        made |= {inside, *inside.parents}
        if len(made) > MOST_FILES:
            flags.append(f"more than {MOST_FILES:,} files and folders were handed in: the rest left out")
            break
        long = len(os.fsencode(inside)) > PATH_BYTES
        reason = "has too long a path" if long else "" if plain(path) else "is not a plain file"
        reason = reason or _unfit(path, left)
        if not reason:
            try:
                (staging / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, staging / inside)
                left -= (staging / inside).stat().st_size
            except OSError as error:
                if machine_fault(error):  # a full disk is nobody's missing notebook
                    raise
                reason = f"could not be read ({error.strerror})"
        if reason:
            flags.append(f"{textwrap.shorten(str(inside), 100)} {reason}: left out")
    return flags


def _unfit(path: Path, left: int) -> str:
    """Why a plain file is left out, or empty."""
    if path.stat().st_size > left:
        return f"is more than the {MOST_BYTES >> 20} MiB that a submission may have"
    if path.name == "timestamp.txt":  # nbgrader reads it, and gives up on what is no time
        try:
            parse_utc(path.read_text().strip())
        except (ValueError, OverflowError, UnicodeDecodeError):
            return "holds no time"
    return ""


def _find(staging: Path, name: str, wanted: list[str], cells: set[str]) -> list[str]:
    """Put the notebook at its place where it has another name; what was done.

    Raises Unreadable if there is none, or several that could be meant.
    """
    notebooks = [p for p in entries(staging) if p.suffix == ".ipynb"]
    others = [p for p in notebooks if p.parent != staging or p.name not in wanted]
    inside = [str(p.relative_to(staging)) for p in others]
    if (staging / name).exists():
        return [f"{other} was not graded: {name} is there too" for other in inside]
    if not others:
        raise Unreadable(f"{name} is missing. Ask for it, or put it there, and grade again.")
    meant = [p for p in others if len(others) == 1 or cells & _cells(p)]
    if len(meant) != 1:
        raise Unreadable(
            f"{name} is missing, and it is not clear which is meant of {', '.join(inside)}. "
            f"Rename the right one to {name}, and grade again."
        )
    meant[0].rename(staging / name)
    return [f"renamed: {meant[0].relative_to(staging)} was graded as {name}"]


def _cells(path: Path) -> set[str]:
    """The names of the cells in a notebook; none if it cannot be read."""
    try:
        return {grade_id(cell) for cell in parse(path.read_bytes()).cells}
    except Unreadable:
        return set()


def _mend(path: Path, released: nbformat.NotebookNode) -> list[str]:
    """Set the notebook right on disk; what was changed. Raises Unreadable if it is corrupt."""
    data = path.read_bytes()
    try:
        notebook = parse(data)
    except TooMuch as error:
        raise Unreadable(f"{path.name} was not read: {error}. Look at it by hand.") from None
    except Unreadable as error:
        raise Unreadable(
            f"{path.name} is corrupt: {error}. Ask for a copy that opens in Jupyter, and grade again."
        ) from None
    flags = mend(notebook, released) + _same_ids(data)
    if flags or data.startswith(b"\xef\xbb\xbf"):
        nbformat.write(notebook, path)
    return flags


def _same_ids(data: bytes) -> list[str]:
    """Whether cells share an id, which reading them has mended."""
    cells = json.loads(data.decode("utf-8-sig")).get("cells", ())
    ids = [cell["id"] for cell in cells if isinstance(cell.get("id"), str)]
    return ["cells with the same id: given their own"] if len(set(ids)) < len(ids) else []
