"""AdamW with its moments in fewer bits: its step against float32, float32's limit and the limit of its own bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

import mlsys.optim as ours
from benchmarks.limit import limit
from benchmarks.loads import LOADS, Shape, elements, parameters
from benchmarks.race import Contention, Row, compare, seconds

FLOAT32 = "float32's limit"
OWN = "limit of its bytes"
ADAMW = "AdamW in float32"
# Bytes an element: moved in a step (of the weight and its gradient 12), and kept beside them.
MOVED = {"bfloat16": 20.0, "8bit": 16 + 16 / 256}
KEPT = {"bfloat16": 4.0, "8bit": 2 + 8 / 256}
FORMS = [(moments, rounding) for moments in MOVED for rounding in ("stochastic", "nearest")]


def goal(rounding: str, load: str, peer: str) -> float | None:
    """Below float32's limit: on large loads a step takes less time than float32's bytes alone would."""
    return 1.0 if peer == FLOAT32 and rounding == "stochastic" and load != "2,000 x 1,024" else None


def limit_of(moved_bytes: float, count: int) -> Callable[[], None]:
    """A step that moves so many bytes for each of `count` elements: SGD's kernel, which moves 12, on more or fewer."""
    return limit([(round(count * moved_bytes / 12),)], 0)


def steps(load: str, quick: bool, shapes: list[Shape] | None = None) -> Iterator[Row]:
    """All formats on one load, in turn with what they are held against."""
    shapes = LOADS[load] if shapes is None else shapes
    candidates: dict[str, Callable[[], Any]] = {
        f"{moments}, {rounding}": ours.LowBitAdamW(
            parameters(shapes), moments=moments, rounding=rounding
        ).step
        for moments, rounding in FORMS
    }
    count = elements(shapes)
    candidates[ADAMW] = ours.AdamW(parameters(shapes), lr=1e-3).step
    candidates[FLOAT32] = limit([(count,)], 2)
    candidates |= {f"{OWN}, {moments}": limit_of(moved, count) for moments, moved in MOVED.items()}
    with Contention() as others:
        times = seconds(candidates, 6 if quick else 48, {})
    for moments, rounding in FORMS:
        name = f"{moments}, {rounding}"
        table = {"mlsys": times[name], FLOAT32: times[FLOAT32], ADAMW: times[ADAMW]}
        table[OWN] = times[f"{OWN}, {moments}"]
        for peer in (FLOAT32, OWN, ADAMW):
            case = f"adamw, moments {name}, {load}"
            about: dict[str, Any] = {"race": "step", "metric": "step_s", "contention": others.share}
            yield compare(table, "mlsys", peer, case=case, goal=goal(rounding, load, peer), **about)


def memory(load: str) -> Iterator[Row]:
    """Bytes kept beside weights and gradients, counted in the state after a step."""
    kept = {
        moments: state_bytes(ours.LowBitAdamW(parameters(LOADS[load]), moments=moments)) for moments in MOVED
    }
    kept[ADAMW] = state_bytes(ours.AdamW(parameters(LOADS[load]), lr=1e-3))
    table = {name: np.array([float(value)]) for name, value in kept.items()}
    for moments in MOVED:
        about: dict[str, Any] = {"race": "state", "metric": "state_bytes"}
        yield compare(table, moments, ADAMW, case=f"adamw, moments {moments}, {load}", **about)


def state_bytes(optimizer: torch.optim.Optimizer) -> int:
    """Of everything in its state but the step numbers."""
    optimizer.step()
    return sum(
        x.numel() * x.element_size()
        for own in optimizer.state.values()
        for key, x in own.items()
        if key != "step"
    )


def run(quick: bool) -> Iterator[Row]:
    """Every load."""
    for load in LOADS:
        yield from steps(load, quick)
    yield from memory("one 20M")
