"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from mlsys.grading.scores import FAILED, FLAGGED, GRADED, NOT_GRADED, Mark, Result
from mlsys.grading.selfcheck import CHECKED, UNCHECKED, Report

COLOURS = {GRADED: "green", FLAGGED: "yellow", NOT_GRADED: "red", FAILED: "bold red"}
WAITS = "?"
NOTHING = "–"


def show_class(console: Console, assignment: str, results: Sequence[Result]) -> None:
    """A row a student, a column an exercise by number; then the names of the columns, and what needs a look."""
    columns = list(next((r.marks for r in results if r.marks), {}).items())
    table = Table(
        title=assignment, title_justify="left", box=None, pad_edge=False, header_style="bold underline"
    )
    for heading in ("student", *map(str, range(1, len(columns) + 1)), "total", "status"):
        words = heading in ("student", "status")
        table.add_column(heading, justify="left" if words else "right", no_wrap=True)
    for result in results:
        graded = result.status != NOT_GRADED  # a file that could not be read is not the same as no points
        cells = [_points(result.marks.get(name)) if graded else NOTHING for name, _ in columns]
        status = Text(result.status, style=COLOURS[result.status])
        table.add_row(result.student, *cells, f"{result.total:g}" if graded else NOTHING, status)
    _print_whole(console, table)
    named = [f"{i} {name} ({mark.max_score:g})" for i, (name, mark) in enumerate(columns, 1)]
    full = sum(mark.max_score for _, mark in columns)
    console.print(f"Columns, with their points, {full:g} in all: " + ", ".join(named), highlight=False)
    waiting = sum(len(result.awaiting) for result in results)
    if waiting:
        console.print(f"{WAITS} awaits a mark by hand ({waiting} in all): mlsys mark", highlight=False)
    for result in results:
        if result.redone:
            again = f": graded again, since {result.redone}"
            console.print(Text.assemble((result.student, COLOURS[result.status]), again), soft_wrap=True)
        for line in [result.reason] * bool(result.reason) + list(result.remarks):
            console.print(
                Text.assemble((result.student, COLOURS[result.status]), f": {line}"), soft_wrap=True
            )


def _print_whole(console: Console, table: Table) -> None:
    """Print it as wide as it is: a score cut short to fit the terminal would read as another score."""
    wide = console.options.update(max_width=1000)
    width = max(console.width, Measurement.get(console, wide, table).maximum)
    Console(file=console.file, force_terminal=console.is_terminal, width=width).print(table)


def _points(mark: Mark | None) -> str:
    if mark is None:
        return ""
    return WAITS if mark.score is None else f"{mark.score:g}{WAITS * mark.again}"


def show_report(console: Console, report: Report) -> None:
    """A row an exercise; then what went wrong, and what the checks said where points are missing."""
    table = Table(title=report.assignment, title_justify="left")
    table.add_column("exercise", no_wrap=True)
    table.add_column("points", justify="right")
    table.add_column("of", justify="right")
    for line in report.lines:
        table.add_row(line.name, line.status if line.points is None else f"{line.points:g}", f"{line.full:g}")
    coded = [line for line in report.lines if line.status in (CHECKED, UNCHECKED)]
    total = sum(line.points or 0.0 for line in coded)
    table.add_section()
    table.add_row("total of what is checked", f"{total:g}", f"{sum(line.full for line in coded):g}")
    console.print(table)
    for problem in report.problems:
        console.print(Text(problem, style="yellow"), soft_wrap=True)
    for line in coded:
        if line.points != line.full and line.message:
            console.print(Text(line.message), soft_wrap=True)
            if "\n" in line.message:  # what is not written yet has a line, and no gap after it
                console.print()
