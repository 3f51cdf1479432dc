"""All claims of the book, and all records: what `mlsys claims` and `python -m mlsys.experiments` go through.

A module of this folder that has CLAIMS is listed under its chapter; one whose results are a record of its own name has
`measured`, which computes them.
"""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from mlsys.report import Result, record

CHAPTERS: dict[str, tuple[str, ...]] = {
    "adaptive-rates": ("adaptive_rates",),
    "adam-history": ("decoupling", "counter_example", "super_convergence", "adam_history", "low_precision"),
    "warm-up": ("first_steps", "warm_up"),
    "inference": (
        "percentiles",
        "latency_runs",
        "serving_laws",
        "batching",
        "compression_claims",
        "efficient_layers",
        "frame_reuse",
        "last_resort",
    ),
}
RECORDS = (
    "roofline",
    "classifiers",
    "equal_scales",
    "weight_decay",
    "counter_example",
    "super_convergence",
    "studies",
    "low_precision",
    "first_steps",
    "warm_up",
    "four_users",
    "latency_runs",
    "serving_laws",
    "forward_pass",
    "forward_memory",
    "served_load",
    "load_trial",
    "compression",
    "distillation",
    "lever_times",
    "efficient_layers",
    "frame_reuse",
    "last_resort",
    "alternatives_times",
)


class Entry(NamedTuple):
    """chapter : where its card is;  records : the records that it was computed from, none where it was computed now."""

    chapter: str
    result: Result
    records: tuple[str, ...]


def module(name: str) -> Any:
    """A module of this folder."""
    return importlib.import_module(f"mlsys.experiments.{name}")


def functions() -> dict[str, tuple[str, Callable[[], Result]]]:
    """{claim: (chapter, function)}, in the book's order."""
    return {
        claim: (chapter, function)
        for chapter, names in CHAPTERS.items()
        for name in names
        for claim, function in module(name).CLAIMS.items()
    }


def chosen(names: Sequence[str]) -> list[str]:
    """The claims of these names, which may be those of chapters; all if there is none.

    Raises ValueError for a name that is neither.
    """
    known = functions()
    wrong = [name for name in names if name not in known and name not in CHAPTERS]
    if wrong:
        raise ValueError(
            f"no claim or chapter {wrong[0]!r}. Chapters: {', '.join(CHAPTERS)}; claims: {', '.join(known)}."
        )
    return [claim for claim, (chapter, _) in known.items() if not names or claim in names or chapter in names]


def entry(claim: str) -> Entry:
    """Measure a claim, or read it from its record. Raises FileNotFoundError if the record is not there."""
    chapter, function = functions()[claim]
    with record.reading() as read:
        result = function()
    return Entry(chapter, result, tuple(read))


def needed(claims: Iterable[str]) -> list[str]:
    """The records that these claims are read from, in the order of RECORDS."""
    read = {name for claim in claims for name in _records_of(claim)}
    return [name for name in RECORDS if name in read]


def _records_of(claim: str) -> tuple[str, ...]:
    with (
        record.reading() as read,
        contextlib.suppress(FileNotFoundError),
    ):  # its name is noted before it is missed
        functions()[claim][1]()
    return tuple(read)


def imports(name: str) -> list[str]:
    """What computed a record, and no more: a new figure style must not make it stale.

    A module that starts another process names what runs there in STARTS.
    """
    return [f"mlsys.experiments.{name}", *getattr(module(name), "STARTS", ())]


def compute(name: str) -> float:
    """Compute a record anew and write it; the seconds it took."""
    began = time.perf_counter()
    record.save(name, module(name).measured(), imports(name))
    return time.perf_counter() - began


def as_data(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """The ledger as JSON has it: a claim each, with what the source reported and what was measured here."""
    return [_datum(*each) for each in entries]


def _datum(chapter: str, result: Result, records: tuple[str, ...]) -> dict[str, Any]:
    claim = result.claim
    return {
        "name": claim.name,
        "chapter": chapter,
        "statement": claim.statement,
        "source": claim.source,
        "reported": claim.reported or None,
        "effect": claim.effect,
        "kind": claim.kind,
        "margin": claim.margin,
        "mean": result.mean,
        "interval": list(result.interval),
        "interval_by": "bootstrap" if claim.bootstrap else "Student's t",
        "smallest_detectable": result.smallest,
        "verdict": result.verdict,
        "supports": result.supports,
        "effects": list(result.effects),
        "records": {name: record.load(name)["date"] for name in records},
    }
