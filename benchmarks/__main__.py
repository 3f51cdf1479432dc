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
    name: Annotated[str, typer.Argument(help="the race, such as optim, or inference, which is several")],
    json: Annotated[
        Path | None, typer.Option(help="write the record here; of several races, into this folder")
    ] = None,
    quick: Annotated[bool, typer.Option(help="few rounds, to see that it works; no figure to quote")] = False,
) -> None:
    """Race our code against named peers. Refuses while the correctness tests of what it races fail."""
    if any(os.environ.get(key) != value for key, value in FAIR.items()):
        command = [sys.executable, "-m", "benchmarks", *sys.argv[1:]]
        raise typer.Exit(subprocess.call(command, env={**os.environ, **FAIR}))
    from rich.console import Console

    from benchmarks import gate, registry, report

    console = Console()
    if not console.is_terminal:  # a log: a table wrapped to 80 columns cannot be read
        console = Console(width=150)
    try:
        races = registry.races(name)
    except KeyError:
        raise typer.BadParameter(
            f"no race {name!r}; there is: {', '.join((*registry.RACES, *registry.TOGETHER))}"
        ) from None
    paths = records(json, [race.name for race in races])
    red = [race for race in races if not gate.is_green(race)]
    for race in red:
        console.print(f"[red]No figures: the tests of {race.name} fail ({', '.join(race.tests)}).")
    for race in races:
        if race not in red:
            rows = report.shown(race, quick, console)
            if json is not None:
                report.write(paths[race.name], race, rows, quick)
                console.print(f"record: {paths[race.name]}")
    if red:
        raise typer.Exit(1)


def records(json: Path | None, names: list[str]) -> dict[str, Path]:
    """Where each race's record goes: to the file, or of several races to files of their names in the folder."""
    if json is None:
        return {}
    if (json.suffix == ".json") != (len(names) == 1):
        kind = "a .json file" if len(names) == 1 else f"a folder, for {', '.join(names)}"
        raise typer.BadParameter(f"the record must be {kind}; got {json}")
    return {names[0]: json} if len(names) == 1 else {name: json / f"{name}.json" for name in names}


if __name__ == "__main__":
    app()
