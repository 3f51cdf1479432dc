"""Why the cells of a notebook failed, from their outputs: each cause once, in a student's words."""

from __future__ import annotations

import re
import textwrap
from typing import Any

from mlsys.grading.cells import answer_cell, check_cell, grade_id
from mlsys.problems import SETS, exercises

LATE = "CellTimeoutError"  # nbgrader's name for a cell that was interrupted when its time was up


def failures(cells: list[Any], timeout_s: float) -> list[str]:
    """Each error once, with the first cell that ended in it; names missed after a failure follow from that one."""
    first: dict[str, str] = {}
    times: dict[str, int] = {}
    missed = 0
    for cell in cells:
        error = _error(cell)
        if error is None:
            continue
        what = _what(cell, error, timeout_s)
        if error.ename == "NameError" and first and what not in first:
            missed += 1
            continue
        first.setdefault(what, called(cell))
        times[what] = times.get(what, 0) + 1
    said = [
        f"{name}{f' and {times[what] - 1} more' if times[what] > 1 else ''} {what}"
        for what, name in first.items()
    ]
    later = "1 later cell" if missed == 1 else f"{missed} later cells"
    return said + [f"{later} failed only because of that."] * (missed > 0)


def _what(cell: Any, error: Any, timeout_s: float) -> str:
    """What became of a cell."""
    if any(o.output_type == "error" and o.ename == LATE for o in cell.outputs):
        return f"ran for more than {timeout_s:g} s and was stopped{_at(error)}. The later cells were run."
    if error.ename == "KeyboardInterrupt":
        return "was stopped"
    text = re.sub(r"\((?:<[^>]*>|\d+\.py), (line \d+)\)", r"(\1)", error.evalue)  # a file that nobody has
    return f"raised {error.ename}: {text}".rstrip(": ")


def _at(error: Any) -> str:
    """The student's line at which a cell was interrupted, from the traceback; empty where it holds none."""
    lines = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(error.traceback)).splitlines()
    theirs, inside = "", False
    for line in lines:
        if re.match(r"(Cell In\[|File |Input )", line):
            inside = line.startswith("Cell In[")
        elif inside and (found := re.match(r"-+> (\d+) (.*)", line)):
            theirs = f" at `{found[2].strip()}` (line {found[1]})"
    return theirs


def _error(cell: Any) -> Any:
    """The error that a cell ended with, or None."""
    return next((o for o in cell.get("outputs", ()) if o.output_type == "error"), None)


def called(cell: Any) -> str:
    """A cell, as its reader knows it."""
    for name in (name for names in map(exercises, SETS) for name in names):
        if grade_id(cell) in (check_cell(name), answer_cell(name)):
            return f"The {'test ' * (grade_id(cell) == check_cell(name))}cell of {name}"
    first = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
    return f"The cell that begins `{textwrap.shorten(first, 60, placeholder=' …')}`"
