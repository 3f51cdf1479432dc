"""The table of a race as it comes in, and its record."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.race import Race, Row
from mlsys.report import record

QUIET = 0.05  # of the machine; above it the neighbours are part of what was measured


def shown(race: Race, quick: bool, console: Console) -> list[Row]:
    """Run the race; a line a row while it runs, one table at the end, and what to distrust."""
    rows = []
    with console.status(race.name) as status:
        for row in race.run(quick):
            rows.append(row)
            status.update(f"{race.name}: {row.case}")
    table = Table(title=f"{race.name}{' (quick: no figures to quote)' if quick else ''}")
    for heading in ("race", "case", "ours", "peer", "", "peer / ours", "quartiles", "goal", "met"):
        table.add_column(heading, justify="right" if heading in ("ours", "peer", "peer / ours") else "left")
    for row in rows:
        mark = {True: "[green]yes", False: "[red]no", None: ""}[row.met]
        quartiles = "{:.2f} – {:.2f}".format(*row.spread["ratio"]) if "ratio" in row.spread else ""
        sizes = (size(row, row.ours), row.peer_name, size(row, row.peer))
        goal = "" if row.goal is None else f">= {row.goal:g}"
        table.add_row(row.race, row.case, *sizes, f"{row.ratio:.2f}", quartiles, goal, mark)
    console.print(table)
    goals = [row for row in rows if row.met is not None]
    console.print(f"{sum(bool(row.met) for row in goals)} of {len(goals)} goals met")
    noisy = max((row.contention for row in rows if row.contention is not None), default=0.0)
    if noisy > QUIET:
        console.print(f"[yellow]others took up to {noisy:.0%} of the machine: run it again when it is quiet")
    return rows


def size(row: Row, value: float) -> str:
    """With a unit that suits the row: both of its sizes in the same one."""
    if row.metric.endswith("_bytes"):
        return f"{value / 2**20:.0f} MiB"
    if not row.metric.endswith("_s"):
        return f"{value:.3g}"
    large = max(row.ours, row.peer)
    unit, name = (1, "s") if large >= 10 else (1e-3, "ms") if large >= 1e-3 else (1e-6, "µs")
    return f"{value / unit:.3g} {name}"


def write(path: Path, race: Race, rows: list[Row], quick: bool) -> None:
    """The record: rows, machine, versions, date, and the hash of the code raced."""
    result = {"quick": quick, "rows": [row.data() for row in rows]}
    record.save(path.stem, result, race.modules, path.parent)
