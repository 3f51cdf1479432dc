"""`mlsys check NOTEBOOK`: run a copy of a whole notebook and say what each exercise earns."""

from __future__ import annotations

import ast
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlsys.grading.absent import imported
from mlsys.grading.causes import LATE, called, failures
from mlsys.grading.cells import answer_cell, check_cell, grade_id, is_written
from mlsys.grading.check import CELL_S
from mlsys.grading.errors import CourseError
from mlsys.grading.mend import Unreadable, parse
from mlsys.problems import SETS, exercises, problem

CHECKED, UNCHECKED, BY_HAND, BLANK = "checked", "not checked", "marked by hand", "blank"
UNFINISHED_S = 10  # seconds that a cell which is interrupted has to end
NAMED = 3  # notebooks, where the one asked for is not there
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
    for name in exercises(assignment):
        oddities += _as_released(notebook, name)
    problems = _execute(notebook, path, timeout_s) + failures(notebook.cells, timeout_s)
    problems += _borrowing(notebook.cells, assignment)
    lines = tuple(_line(name, notebook) for name in exercises(assignment)) + _written(notebook)
    unchecked = [line.name for line in lines if line.status == UNCHECKED]
    if unchecked:
        problems.append(f"Not checked: {', '.join(unchecked)}.")
    return Report(assignment, lines, tuple(oddities + problems), not problems)


def read(path: Path) -> Any:
    """The notebook in a file. Raises CourseError, which says what is wrong with the file."""
    if not path.exists():
        raise CourseError(f"no file {path}. {_there(path)}")
    if path.is_dir():
        raise CourseError(f"{path} is a folder. Name the notebook in it, such as {path / 'NAME.ipynb'}.")
    data = path.read_bytes()
    if path.suffix != ".ipynb":
        raise CourseError(f"{path}: this is not a notebook. A notebook's name ends in .ipynb.")
    if not data.strip():
        raise CourseError(f"{path}: the file is empty. Go back to a copy that opens.")
    try:
        return parse(data)
    except Unreadable as error:
        raise CourseError(
            f"{path} cannot be used: {error}. Open it in Jupyter and save it again, or go back to a copy that opens."
        ) from None


def _there(path: Path) -> str:
    """Where one is, and the notebooks that may be meant."""
    here = Path.cwd()
    if path.parent.is_dir() and (beside := sorted(p.name for p in path.parent.glob("*.ipynb"))):
        return f"This is the folder {here}. In {path.parent.resolve()} there are: {', '.join(beside)}."
    below = sorted(_below(here), key=lambda p: (len(p.parts), p))
    named = [str(p.relative_to(here)) for p in below[:NAMED]] + ["…"] * (len(below) > NAMED)
    there = f"Below it there are: {', '.join(named)}." if named else "No problem set lies below it."
    return f"This is the folder {here}. {there}"


def _below(folder: Path, depth: int = 4) -> Iterator[Path]:
    """The notebooks of problem sets in a folder and those in it, not too deep."""
    for place, folders, files in os.walk(folder):
        deep = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")) and deep < depth)
        yield from (Path(place, name) for name in sorted(files) if name.removesuffix(".ipynb") in SETS)


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


def _as_released(notebook: Any, name: str) -> list[str]:
    """Make the exercise's test cell what it was; what was odd, in words."""
    from nbformat.v4 import new_code_cell

    released = f'check("{name}", {problem(name).target})'
    original = new_code_cell(
        f"from mlsys.grading import check\n{released}",
        metadata={"nbgrader": {"grade_id": check_cell(name)}},
    )
    places = [i for i, cell in enumerate(notebook.cells) if grade_id(cell) == check_cell(name)]
    if not places:
        notebook.cells.append(original)
        return [f"The test cell of {name} is gone; it was run all the same."]
    cell = notebook.cells[places[-1]]  # the last one counts
    for copy in places[:-1]:
        del notebook.cells[copy].metadata["nbgrader"]
    if cell.cell_type == "code" and _code(cell.source) == _code(released):
        return []
    notebook.cells[places[-1]] = original
    return [f"The test cell of {name} was changed; the original was run."]


def _code(source: str) -> str:
    """What runs of a cell: comments and blank space make no difference."""
    try:
        return ast.dump(ast.parse(source))
    except (SyntaxError, ValueError):
        return source


def _execute(notebook: Any, path: Path, timeout_s: float) -> list[str]:
    """Run the cells in place; what failed, by cell."""
    try:
        from nbclient import NotebookClient
        from nbclient.exceptions import CellTimeoutError, DeadKernelError
        from nbformat.v4 import new_output
        from traitlets.config import Config
    except ImportError as error:
        raise CourseError(f"running a notebook needs {error.name}: pip install 'mlsys[lab]'") from error
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None

    def told(cell: Any, execute_reply: Any, **_: Any) -> None:
        if execute_reply["content"].get("ename") == LATE:
            cell.outputs.append(new_output("error", ename=LATE, evalue="", traceback=[]))

    client = NotebookClient(
        notebook,
        timeout=timeout_s,
        allow_errors=True,
        interrupt_on_timeout=True,  # as nbgrader does: the later cells run
        error_on_timeout={"ename": LATE, "evalue": "", "traceback": []},
        iopub_timeout=UNFINISHED_S,
        raise_on_iopub_timeout=True,
        on_cell_executed=told,
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
        stopped = [
            f"A cell ran for more than {timeout_s:g} s and could not be stopped; no later cell was run."
        ]
    except DeadKernelError:
        stopped = ["The kernel died: a cell ends Python itself, or memory ran out. No later cell was run."]
    return stopped


def _borrowing(cells: list[Any], assignment: str) -> list[str]:
    """The cells that would fail where the notebook is graded, as they import what is absent there."""
    found = ((cell, imported(cell.source, assignment)) for cell in cells if cell.cell_type == "code")
    return [
        f"{called(cell)} imports {module}, which is absent when this is graded: there the cell fails."
        for cell, module in found
        if module
    ]


def _line(name: str, notebook: Any) -> Line:
    """What the exercise's test cell printed and returned."""
    cell = next(cell for cell in notebook.cells if grade_id(cell) == check_cell(name))
    outputs = cell.get("outputs", ())
    text = "".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stdout").strip()
    results = [o.data.get("text/plain", "") for o in outputs if o.output_type == "execute_result"]
    full = problem(name).points
    try:
        points = float(results[-1])
    except (IndexError, ValueError):
        points = -1.0
    if 0 <= points <= full:
        return Line(name, points, full, text)
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
