"""Every lever of the chapter in one table, from the records of its pages: what it costs and what it saves.

Each is beside what it replaces, and not beside the others: they were measured on nets of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mlsys.experiments import alternatives_times, efficient_layers, last_resort
from mlsys.report import record

SHAPES, DIGITS, ROWS = (
    "a convolutional net, shapes",
    "a convolutional net, digits",
    "a net of 256 units, digits",
)
LAYERS = {
    "half the channels": ("dense", 0.5),
    "separable layers": ("separable", 1.0),
    "shuffled layers": ("shuffle", 2.0),
    "circulant layers": ("circulant", 1.0),
}
COMPRESSED = {  # lever -> its name in the records `compression` and `lever_times`
    "half the channels pruned": ("channels, 50%", "half the channels"),
    "90 % of the weights zero": ("magnitude, 90%", "90% zeros"),
    "2 of 4 weights zero": ("2:4, 50%", "2:4"),
    "int8, weights only": ("int8 weight-only, per channel", "int8 weight-only"),
    "int8, dynamic": ("int8 dynamic, per channel", "int8 dynamic"),
    "int8, static": ("int8 static, per channel", "int8 static"),
}
ONE, MANY = "one", "many"


class Lever(NamedTuple):
    """What one lever did to what it was pulled on.

    points : accuracy with it minus without, in percentage points, a seed each, retrained where it needs that
    smaller : bytes without over bytes with it;  less : the same of its arithmetic (for trees comparisons)
    faster : {ONE, MANY: seconds without over seconds with it} of a single input and of a large batch
    """

    name: str
    of: str
    points: np.ndarray
    smaller: float
    less: float
    faster: Mapping[str, float]


def levers() -> list[Lever]:
    """All of them, in the order of the chapter's pages. Raises FileNotFoundError where a record is missing."""
    return [*_compressed(), *_layers(), *_kinds()]


def large_net() -> list[tuple[str, float, float]]:
    """(lever, times faster for a single row, for 128) of two layers of 768 and 3072 units, from `lever_times`."""
    one, many = (
        {name: float(np.median(blocks)) for name, blocks in rows.items()} for rows in _clocked("feed-forward")
    )
    return [
        (name, one["float32"] / one[name], many["float32"] / many[name]) for name in one if name != "float32"
    ]


def _clocked(net: str) -> tuple[Any, Any]:
    rows = record.load("lever_times")["result"][net]
    return rows["1"], rows["128"]


def _faster(times: Sequence[Mapping[str, float]], before: str, after: str) -> dict[str, float]:
    return {size: each[before] / each[after] for size, each in zip((ONE, MANY), times, strict=True)}


def _layers() -> Iterator[Lever]:
    dense = efficient_layers.net("dense", 1.0)
    times = [alternatives_times.recorded("classifiers", n) for n in alternatives_times.BATCHES["classifiers"]]
    for name, (kind, multiplier) in LAYERS.items():
        net = efficient_layers.net(kind, multiplier)
        yield Lever(
            name,
            SHAPES,
            100 * np.subtract(net["accuracy"], dense["accuracy"]),
            dense["parameters"] / net["parameters"],
            dense["multiply_adds"] / net["multiply_adds"],
            _faster(times, "dense 1", f"{kind} {multiplier:g}"),
        )


def _kinds() -> Iterator[Lever]:
    found = last_resort.recorded("digits")
    times = [alternatives_times.recorded("models", n) for n in alternatives_times.BATCHES["models"]]
    net = found["net"]
    for name in (*last_resort.OTHERS, "net 16"):
        yield Lever(
            {"net 16": "a net of 16 units"}.get(name, name),
            ROWS,
            100 * np.subtract(found[name]["accuracy"], net["accuracy"]),
            net["size_bytes"] / found[name]["size_bytes"],
            net["operations"] / found[name]["operations"],
            _faster(times, "net", name),
        )


def _compressed() -> Iterator[Lever]:
    found = record.load("compression")["result"]
    times = [{name: float(np.median(blocks)) for name, blocks in rows.items()} for rows in _clocked("digits")]
    control = found["none, float32"]
    for name, (lever, called) in COMPRESSED.items():
        each = found[lever]
        retrained = each["after"] is not None
        yield Lever(
            name,
            DIGITS,
            100 * np.subtract(_last(each), control["after" if retrained else "before"]),
            _ratio(control["bytes"], each["bytes"]),
            _ratio(control["nonzero"], each["nonzero"]),
            _faster(times, "float32", called),
        )


def _last(each: Mapping[str, Any]) -> Any:
    return each["before"] if each["after"] is None else each["after"]


def _ratio(before: Any, after: Any) -> float:
    return float(np.mean(np.divide(before, after)))
