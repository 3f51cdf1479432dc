"""What the checker's ledger says, put into the test cells: there nbgrader looks for the score."""

from __future__ import annotations

import math
from typing import Any

from nbformat.v4 import new_output

from mlsys.grading.causes import LATE
from mlsys.grading.cells import check_cell, exercise_of, grade_id, settings
from mlsys.grading.engine.checker import Entry
from mlsys.grading.engine.warm import PACKAGE


def settle(notebook: Any, assignment: str, ledger: dict[str, Entry], reason: str = "") -> list[str]:
    """Let the ledger decide every test cell that calls `check`; what was printed against it, in words.

    A cell keeps what it showed, but for scores and errors where the ledger knows better.
    reason : why the notebook was not run to its end, which is told where no answer came
    """
    flags = []
    for cell in notebook.cells:
        name = exercise_of(assignment, grade_id(cell))
        if cell.cell_type != "code" or not settings(cell).get("grade") or grade_id(cell) != check_cell(name):
            continue
        entry, printed = ledger.get(name), _printed(cell)
        if entry is None:
            flags += _without(cell, name, printed, reason)
        else:
            if printed is not None and not abs(printed - entry.points) <= 1e-9:
                flags.append(
                    f"{name}: its test cell shows {printed:g} points; the checker gave {entry.points:g}"
                )
            shown = [_as_text(output) for output in _but_results(cell)]
            cell.outputs = [*filter(None, shown), _stream(entry.text + "\n"), _score(entry.points)]
    return flags


def _without(cell: Any, name: str, printed: float | None, reason: str) -> list[str]:
    """A test cell from which no answer came: an error earns 0 once no score stands before it, all else is made to."""
    cell.outputs = _but_results(cell)
    errors = [output for output in cell.outputs if output.output_type == "error"]
    for error in errors:  # of the student's code, and not of what called it
        error.traceback = [part for part in error.traceback if PACKAGE not in part]
    if any(error.ename == LATE for error in errors):
        cell.outputs.insert(0, _stream(f"{name}: 0 points. This cell ran too long and was stopped.\n"))
    if not errors:
        why = (
            f"It was not checked, because before it {reason}"
            if reason
            else "No answer of it came to the checker"
        )
        cell.outputs += [_stream(f"{name}: 0 points. {why}.\n"), _score(0.0)]
    elif printed is None:
        return []
    if printed:
        return [f"{name}: its test cell shows {printed:g} points, and no answer came to the checker: 0"]
    return [f"{name}: no answer came to the checker"] if cell.execution_count is not None else []


def _but_results(cell: Any) -> list[Any]:
    return [output for output in cell.outputs if output.output_type != "execute_result"]


def _printed(cell: Any) -> float | None:
    """The score that nbgrader would read; nan for a result that is no number, which it would take for full points."""
    results = [o.data.get("text/plain", "") for o in cell.outputs if o.output_type == "execute_result"]
    try:
        return float(results[0]) if results else None
    except ValueError:
        return math.nan


def _as_text(output: Any) -> Any:
    """The output as one that costs nothing: nbgrader takes errors and stderr for a failed test."""
    if output.output_type == "error":
        return _stream(f"{output.ename}: {output.evalue}\n")
    if output.output_type == "stream":
        return _stream(output.text)
    return output


def _stream(text: str) -> Any:
    return new_output("stream", name="stdout", text=text)


def _score(points: float) -> Any:
    return new_output("execute_result", {"text/plain": repr(float(points))}, execution_count=None)
