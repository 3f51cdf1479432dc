"""Inference: the parts of the race, each a module of its own that yields rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks import overhead
from benchmarks.race import Race, Row

PARTS: tuple[Callable[[bool], Iterator[Row]], ...] = (overhead.run_rows,)


def run(quick: bool) -> Iterator[Row]:
    """Every part in turn."""
    for part in PARTS:
        yield from part(quick)


RACE = Race(
    name="inference",
    tests=("tests/inference",),
    modules=("mlsys.inference.load",),
    run=run,
)
