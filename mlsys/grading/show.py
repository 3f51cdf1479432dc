"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlsys.grading.scores import FAILED, FLAGGED, GRADED, NOT_GRADED, Mark, Result
from mlsys.grading.selfcheck import Report

COLOURS = {GRADED: "green", FLAGGED: "yellow", NOT_GRADED: "red", FAILED: "bold red"}
WAITS = "?"


def show_class(console: Console, assignment: str, results: Sequence[Result]) -> None:
    """A row a student, a column an exercise by number; then the names of the columns, and what needs a look."""
    columns = list(next((r.marks for r in results if r.marks), {}).items())
    table = Table(title=assignment, title_justify="left")
    table.add_column("student", no_wrap=True)
    for number, _ in enumerate(columns, 1):
        table.add_column(str(number), justify="right", no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for result in results:
        cells = [_points(result.marks.get(name)) for name, _ in columns]
        status = Text(result.status, style=COLOURS[result.status])
        table.add_row(result.student, *cells, f"{result.total:g}", status)
    console.print(table)
    named = [f"{i} {name} ({mark.max_score:g})" for i, (name, mark) in enumerate(columns, 1)]
    console.print("Columns, with their points: " + ", ".join(named), highlight=False, soft_wrap=True)
    waiting = sum(len(result.awaiting) for result in results)
    if waiting:
        console.print(
            f"{WAITS} awaits a mark by hand ({waiting} in all): nbgrader formgrader", highlight=False
        )
    for result in results:
        for line in [result.reason] * bool(result.reason) + list(result.flags):
            console.print(
                Text.assemble((result.student, COLOURS[result.status]), f": {line}"), soft_wrap=True
            )


def _points(mark: Mark | None) -> str:
    if mark is None:
        return ""
    return WAITS if mark.score is None else f"{mark.score:g}"


def show_report(console: Console, report: Report) -> None:
    """A row an exercise; then what the checks said where points are missing, and what went wrong."""
    table = Table(title=report.assignment, title_justify="left")
    table.add_column("exercise", no_wrap=True)
    table.add_column("points", justify="right")
    table.add_column("of", justify="right")
    for line in report.lines:
        points = f"{line.points:g}" if line.points is not None else "-" if line.message else "marked by hand"
        table.add_row(line.name, points, f"{line.full:g}")
    coded = [line for line in report.lines if line.points is not None or line.message]
    total = sum(line.points or 0.0 for line in coded)
    table.add_section()
    table.add_row("total of what is checked", f"{total:g}", f"{sum(line.full for line in coded):g}")
    console.print(table)
    for line in coded:
        if line.points != line.full:
            console.print(Text(line.message + "\n"), soft_wrap=True)
    for problem in report.problems:
        console.print(Text(problem, style="yellow"), soft_wrap=True)
