"""`mlsys check NOTEBOOK`: run a copy of a whole notebook and say what each exercise earns."""

from __future__ import annotations

import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlsys.grading.cells import answer_cell, check_cell, grade_id, is_written
from mlsys.grading.check import CELL_S
from mlsys.grading.errors import CourseError
from mlsys.grading.mend import Unreadable, parse
from mlsys.problems import SETS, exercises, problem

CHECKED, UNCHECKED, BY_HAND, BLANK = "checked", "not checked", "marked by hand", "blank"
TEXT_STUB = "Your answer here."  # what a released notebook holds where a text is to be written


@dataclass(frozen=True)
class Line:
    """An exercise as the notebook stands.

    points : None for a written answer, and where the test cell gave none;  message : what `check` printed
    status : CHECKED or UNCHECKED; of a written answer, BY_HAND or BLANK
    """

    name: str
    points: float | None
    full: float
    message: str = ""
    status: str = CHECKED


@dataclass(frozen=True)
class Report:
    """What a run of the notebook gave.

    lines : one an exercise;  problems : the cells that failed, and what is odd about the file
    ran : whether every cell ran without an error, and every exercise could be checked
    """

    assignment: str
    lines: tuple[Line, ...]
    problems: tuple[str, ...]
    ran: bool


def check_notebook(path: Path, timeout_s: float = CELL_S) -> Report:
    """Run a copy of the notebook in a kernel of its own; the file is only read.

    Raises CourseError if the file is missing, is not a notebook, or belongs to no problem set.
    """
    notebook = read(path)
    assignment = _assignment(notebook, path)
    oddities = []
    if path.stem != assignment:
        oddities.append(f"The file is named {path.name}; hand it in as {assignment}.ipynb.")
    present = {grade_id(cell) for cell in notebook.cells}
    for name in exercises(assignment):
        if check_cell(name) not in present:
            oddities.append(f"The test cell of {name} is gone; it was run all the same.")
            notebook.cells.append(_test_cell(name))
    problems = _execute(notebook, path, timeout_s) + _failures(notebook.cells)
    lines = tuple(_line(name, notebook) for name in exercises(assignment)) + _written(notebook)
    unchecked = [line.name for line in lines if line.status == UNCHECKED]
    if unchecked:
        problems.append(f"Not checked: {', '.join(unchecked)}.")
    return Report(assignment, lines, tuple(oddities + problems), not problems)


def read(path: Path) -> Any:
    """The notebook in a file. Raises CourseError, which says what is wrong with the file."""
    if not path.exists():
        beside = sorted(p.name for p in path.parent.glob("*.ipynb")) if path.parent.is_dir() else []
        there = (
            f"In {path.parent.resolve()} there are: {', '.join(beside)}."
            if beside
            else "Look for its folder."
        )
        raise CourseError(f"no file {path}. {there}")
    if path.is_dir():
        raise CourseError(f"{path} is a folder. Name the notebook in it, such as {path / 'NAME.ipynb'}.")
    try:
        return parse(path.read_bytes())
    except Unreadable as error:
        raise CourseError(
            f"{path} cannot be used: {error}. Open it in Jupyter and save it again, or go back to a copy that opens."
        ) from None


def _assignment(notebook: Any, path: Path) -> str:
    """The problem set that most of the notebook's cells belong to, else the one it is named after."""
    present = {grade_id(cell) for cell in notebook.cells}

    def common(assignment: str) -> int:
        return sum(c in present for n in exercises(assignment) for c in (answer_cell(n), check_cell(n)))

    best = max(SETS, key=common)
    if common(best):
        return best
    if path.stem in SETS:
        return path.stem
    raise CourseError(f"{path} holds no exercise of a problem set. There are: {', '.join(SETS)}.")


def _test_cell(name: str) -> Any:
    """What the released notebook has to check an exercise."""
    from nbformat.v4 import new_code_cell

    source = f'from mlsys.grading import check\ncheck("{name}", {problem(name).target})'
    return new_code_cell(source, metadata={"nbgrader": {"grade_id": check_cell(name)}})


def _execute(notebook: Any, path: Path, timeout_s: float) -> list[str]:
    """Run the cells in place; what failed, by cell."""
    try:
        from nbclient import NotebookClient
        from nbclient.exceptions import CellTimeoutError, DeadKernelError
        from traitlets.config import Config
    except ImportError as error:
        raise CourseError(f"running a notebook needs {error.name}: pip install 'mlsys[lab]'") from error
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        timeout=timeout_s,
        allow_errors=True,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.resolve().parent)}},
        config=Config({"KernelManager": {"transport_encryption": "auto"}}),
    )
    stopped = []
    try:
        client.execute(
            stderr=subprocess.DEVNULL
        )  # what cells write is captured; this is a stopped kernel's own
    except CellTimeoutError:
        stopped = [f"A cell ran for more than {timeout_s:g} s and was stopped; no later cell was run."]
    except DeadKernelError:
        stopped = ["The kernel died: a cell ends Python itself, or memory ran out. No later cell was run."]
    return stopped


def _error(cell: Any) -> Any:
    """The error that a cell ended with, or None."""
    return next((o for o in cell.get("outputs", ()) if o.output_type == "error"), None)


def _failures(cells: list[Any]) -> list[str]:
    """Each error once, with the first cell that ended in it; names missed after a failure follow from that one."""
    first: dict[str, str] = {}
    times: dict[str, int] = {}
    missed = 0
    for cell in cells:
        error = _error(cell)
        if error is None:
            continue
        if error.ename == "NameError" and first and f"raised NameError: {error.evalue}" not in first:
            missed += 1
            continue
        stopped = error.ename == "KeyboardInterrupt"
        what = "was stopped" if stopped else f"raised {error.ename}: {error.evalue}".rstrip(": ")
        first.setdefault(what, _called(cell))
        times[what] = times.get(what, 0) + 1
    said = [
        f"{name}{f' and {times[what] - 1} more' if times[what] > 1 else ''} {what}"
        for what, name in first.items()
    ]
    return said + [f"After that, cells missed names that should have been defined: {missed}."] * (missed > 0)


def _called(cell: Any) -> str:
    """A cell, as its reader knows it."""
    name = next(
        (name for names in map(exercises, SETS) for name in names if check_cell(name) == grade_id(cell)), ""
    )
    first = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
    return (
        f"The test cell of {name}"
        if name
        else f"The cell that begins `{textwrap.shorten(first, 60, placeholder=' …')}`"
    )


def _line(name: str, notebook: Any) -> Line:
    """What the exercise's test cell printed and returned."""
    cell = next(cell for cell in notebook.cells if grade_id(cell) == check_cell(name))
    outputs = cell.get("outputs", ())
    text = "".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stdout").strip()
    results = [o.data.get("text/plain", "") for o in outputs if o.output_type == "execute_result"]
    full = problem(name).points
    try:
        return Line(name, float(results[-1]), full, text)
    except (IndexError, ValueError):
        return Line(name, None, full, text, UNCHECKED)


def _written(notebook: Any) -> tuple[Line, ...]:
    """The answers that a person will mark."""
    return tuple(
        Line(
            grade_id(cell),
            None,
            float(cell.metadata.nbgrader.get("points", 0)),
            status=BLANK if cell.source.strip() in ("", TEXT_STUB) else BY_HAND,
        )
        for cell in notebook.cells
        if is_written(cell)
    )
