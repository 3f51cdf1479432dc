"""`python -m benchmarks optim --json FILE`: run a race, print its table, write its record."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

# torch's own paths make fresh buffers; without large pages their page faults would be raced, not their kernels.
# Read when a process starts, hence the second process.
FAIR = {"THP_MEM_ALLOC_ENABLE": "1"}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    name: Annotated[str, typer.Argument(help="the race, such as optim")],
    json: Annotated[Path | None, typer.Option(help="write the record here")] = None,
    quick: Annotated[bool, typer.Option(help="few rounds, to see that it works; no figure to quote")] = False,
) -> None:
    """Race our code against named peers. Refuses while the correctness tests of what it races fail."""
    if any(os.environ.get(key) != value for key, value in FAIR.items()):
        command = [sys.executable, "-m", "benchmarks", *sys.argv[1:]]
        raise typer.Exit(subprocess.call(command, env={**os.environ, **FAIR}))
    from rich.console import Console

    from benchmarks import gate, report
    from benchmarks.registry import RACES

    console = Console()
    if not console.is_terminal:  # a log: a table wrapped to 80 columns cannot be read
        console = Console(width=150)
    if name not in RACES:
        raise typer.BadParameter(f"no race {name!r}; there is: {', '.join(RACES)}")
    if json is not None and json.suffix != ".json":
        raise typer.BadParameter(f"the record must be a .json file; got {json}")
    race = RACES[name]
    if not gate.is_green(race):
        console.print(f"[red]No figures: the tests of {name} fail ({', '.join(race.tests)}).")
        raise typer.Exit(1)
    rows = report.shown(race, quick, console)
    if json is not None:
        report.write(json, race, rows, quick)
        console.print(f"record: {json}")


if __name__ == "__main__":
    app()
