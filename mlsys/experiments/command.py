"""What `mlsys claims` prints and writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from mlsys.experiments import claims as ledger
from mlsys.report import record

COLOURS = {"holds": "green", "equivalent within the margin": "cyan", "contradicted": "red"}


def claims(names: Sequence[str], out: Path | None = None, data: str = "", recompute: bool = False) -> int:
    """Print the ledger of these claims, and write it to `out` as JSON; the exit status, 2 for what can be mended.

    data : a real set, on which the claims that can be are measured instead;  recompute : the records first
    """
    console = Console()
    if not console.is_terminal:  # a log: a table wrapped to 80 columns cannot be read
        console = Console(width=170)
    try:
        found = entries(console, names, data, recompute)
    except (ValueError, ConnectionError, FileNotFoundError) as error:
        console.print(str(error), style="red", markup=False)
        return 2
    show(console, found)
    if out is not None:
        out.write_text(json.dumps(ledger.as_data(found), indent=1) + "\n", encoding="utf-8")
        console.print(f"{len(found)} claims written to {out}")
    return 0


def entries(console: Console, names: Sequence[str], data: str, recompute: bool) -> list[ledger.Entry]:
    """Measure them, or read them from their records. Raises as `chosen`, `entry` and `published.entries` do."""
    if data:
        from mlsys.experiments import published

        return published.entries(data, names, lambda text: console.print(text, style="dim"))
    found = ledger.chosen(names)
    if recompute:
        for name in ledger.needed(found):
            console.print(f"computing the record {name} …", style="dim")
            console.print(f"{name}: {ledger.compute(name):.0f} s", style="dim")
    return [ledger.entry(each) for each in track(found, "measuring", console=console, transient=True)]


def show(console: Console, entries: Sequence[ledger.Entry]) -> None:
    """The ledger as a table, a chapter after the other."""
    table = Table("Claim", "Verdict", "Effect", "95 % interval", "Smallest seen", "Seeds", "From")
    for i, (chapter, result, records) in enumerate(entries):
        if i and chapter != entries[i - 1].chapter:
            table.add_section()
        low, high = result.interval
        colour = COLOURS.get(result.verdict, "yellow")
        table.add_row(
            result.claim.name,
            f"[{colour}]{result.verdict}",
            f"{result.mean:.3g}",
            f"{low:.3g} to {high:.3g}",
            f"{result.smallest:.2g}",
            str(len(result.effects)),
            _origin(records),
        )
    console.print(table)
    verdicts: dict[str, int] = {}
    for each in entries:
        verdicts[each.result.verdict] = verdicts.get(each.result.verdict, 0) + 1
    console.print(", ".join(f"{n} {verdict}" for verdict, n in verdicts.items()))


def _origin(records: Sequence[str]) -> str:
    """Where a result comes from: computed now, or records of what date."""
    kept: list[tuple[str, Any]] = [(name, record.load(name)) for name in records]
    words = [f"{name}, {each['date']}{' (stale)' * record.stale(each)}" for name, each in kept]
    return "; ".join(words) or "computed now"
