"""The update rules, through the front that users call, against torch's paths and the bandwidth limit."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

import mlsys.optim as ours
from benchmarks import fresh, lowbit, starts, training
from benchmarks.limit import limit
from benchmarks.loads import LOADS, elements, parameters
from benchmarks.race import Contention, Race, Row, compare, seconds

LIMIT = "bandwidth limit"
SCATTERED = "limit, same shapes"  # the limit's kernel on a list of tensors where torch's allocator puts them
PATHS: dict[str, dict[str, Any]] = {
    "torch loop": {"foreach": False},
    "torch foreach": {"foreach": True},
    "torch fused": {"fused": True},
}
LARGE = ("one 20M", "ResNet-50")


@dataclass(frozen=True)
class Entry:
    """A rule: our class, torch's, the arguments of both, how many slots, and torch's paths.

    goals : (load, peer) -> least ratio, besides those that hold for every rule
    begun : steps taken before the race
    """

    ours: type[torch.optim.Optimizer]
    torch: type[torch.optim.Optimizer]
    arguments: dict[str, Any]
    slots: int
    fused: bool
    goals: dict[tuple[str, str], float] = field(default_factory=dict)
    begun: int = 0

    def goal(self, load: str, peer: str) -> float | None:
        """At the limit but for 5 %, and never behind torch's fused kernel but for 2 %."""
        if (load, peer) in self.goals:
            return self.goals[load, peer]
        if peer == LIMIT:
            return 0.95 if load in LARGE else None
        return 0.98 if peer == "torch fused" else None


_SMALL = {("2,000 x 1,024", "torch fused"): 10.0}
_LARGE = {("one 20M", "torch's best"): 6.0}
ENTRIES: dict[str, Entry] = {
    "sgd": Entry(ours.SGD, torch.optim.SGD, {"lr": 1e-3}, 0, True),
    "momentum": Entry(ours.SGD, torch.optim.SGD, {"lr": 1e-3, "momentum": 0.9}, 1, True),
    "nesterov": Entry(ours.SGD, torch.optim.SGD, {"lr": 1e-3, "momentum": 0.9, "nesterov": True}, 1, True),
    "adagrad": Entry(ours.Adagrad, torch.optim.Adagrad, {"lr": 1e-3}, 1, True),
    "rmsprop": Entry(
        ours.RMSprop, torch.optim.RMSprop, {"lr": 1e-3}, 1, False, {("one 20M", "torch's best"): 6.5}
    ),
    "adadelta": Entry(
        ours.Adadelta, torch.optim.Adadelta, {"lr": 1.0}, 2, False, {("one 20M", "torch's best"): 8.0}
    ),
    "adam": Entry(ours.Adam, torch.optim.Adam, {"lr": 1e-3}, 2, True, _SMALL),
    "amsgrad": Entry(ours.Adam, torch.optim.Adam, {"lr": 1e-3, "amsgrad": True}, 3, True),
    "adamw": Entry(ours.AdamW, torch.optim.AdamW, {"lr": 1e-3}, 2, True, _SMALL),
    "nadam": Entry(
        ours.NAdam,
        torch.optim.NAdam,
        {"lr": 1e-3},
        2,
        False,
        _LARGE | {("2,000 x 1,024", "torch's best"): 40.0},
    ),
    # Its first five steps leave the second moment out, which torch's loop saves: not what training is made of.
    "radam": Entry(ours.RAdam, torch.optim.RAdam, {"lr": 1e-3}, 2, False, _LARGE, begun=5),
}


def steps(name: str, load: str, quick: bool) -> Iterator[Row]:
    """One rule on one load: a step's time against each of torch's paths and the limit."""
    entry, shapes = ENTRIES[name], LOADS[load]
    candidates: dict[str, Callable[[], Any]] = {}
    params = parameters(shapes)
    optimisers = {"mlsys": entry.ours(params, **entry.arguments)}
    for path, argument in PATHS.items():
        if entry.fused or path != "torch fused":
            optimisers[path] = entry.torch(_copies(params), **entry.arguments, **argument)
    for optimiser in optimisers.values():
        for _ in range(entry.begun):
            optimiser.step()
    candidates = {path: optimiser.step for path, optimiser in optimisers.items()}
    candidates[LIMIT] = limit([(elements(shapes),)], entry.slots)
    if len(shapes) > 1:
        candidates[SCATTERED] = limit(shapes, entry.slots)
    slow = 2 if quick else 8
    with Contention() as others:
        times = seconds(candidates, 6 if quick else 48, {"torch loop": slow, "torch foreach": slow})
    about: dict[str, Any] = {
        "race": "step",
        "metric": "step_s",
        "contention": others.share,
        "case": f"{name}, {load}",
    }
    rows = [
        compare(times, "mlsys", peer, goal=entry.goal(load, peer), **about)
        for peer in candidates
        if peer != "mlsys"
    ]
    yield from rows
    if not entry.fused:
        yield _best(times, entry, load, about)


def _best(times: dict[str, Any], entry: Entry, load: str, about: dict[str, Any]) -> Row:
    """Against the faster of torch's paths, where torch has no fused one."""
    paths = [path for path in PATHS if path in times]
    times["torch's best"] = times[min(paths, key=lambda path: np.nanmedian(times[path]))]
    return compare(times, "mlsys", "torch's best", goal=entry.goal(load, "torch's best"), **about)


def one_rule(name: str, load: str, quick: bool) -> list[dict[str, Any]]:
    """The rows of steps(...) as data, for a process of its own."""
    return [row.data() for row in steps(name, load, quick)]


def as_installed(name: str, load: str, quick: bool) -> Iterator[Row]:
    """torch's best without large pages, as it comes: its paths that make fresh buffers then wait for pages."""
    for data in fresh.result(__name__, "one_rule", name, load, quick, without=("THP_MEM_ALLOC_ENABLE",)):
        if data["peer_name"] == "torch's best":
            del data["met"]
            yield Row(**{**data, "case": f"{data['case']}, small pages"})


def _copies(params: list[torch.nn.Parameter]) -> list[torch.nn.Parameter]:
    copies = [torch.nn.Parameter(p.detach().clone()) for p in params]
    for copy, p in zip(copies, params, strict=True):
        assert p.grad is not None
        copy.grad = p.grad.clone()
    return copies


def run(quick: bool) -> Iterator[Row]:
    """Steps of every rule on every load, the first step of a process, whole steps of training."""
    for load in LOADS:
        for name in ENTRIES:
            yield from steps(name, load, quick)
            gc.collect()
    for name in (name for name, entry in ENTRIES.items() if not entry.fused):
        yield from as_installed(name, "one 20M", quick)
    yield from lowbit.run(quick)
    yield from starts.run(quick)
    yield from training.run(quick)


RACE = Race(
    name="optim",
    tests=("tests/kernels", "tests/peers"),
    modules=("mlsys.optim.front", "mlsys.kernels.cpu", "mlsys.kernels.lowbit_cpu"),
    run=run,
)
