"""What percentiles under load are worth: intervals, early stopping and the closed loop, where the truth is known.

A queue with Poisson arrivals, one server and exponential service times of mean 1 (M/M/1) at load rho has latencies
that are exponential of mean 1 / (1 - rho), exactly. So every percentile is known, and what an interval or a rule says
of it can be checked. What is drawn from that distribution independently differs from the queue in one thing only:
neighbours in a queue wait together.
Source: Harchol-Balter (2013), Performance Modeling and Design of Computer Systems, chapter 13.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from mlsys.core.seeds import generator
from mlsys.experiments.runs import FACTOR, SEEDS, SHARE
from mlsys.inference.load import Inline, Paced, VirtualClock, keeps_bound, run
from mlsys.inference.load.trace import Trace
from mlsys.inference.metrics import Latencies
from mlsys.report import Claim, Result, measure

P, CONFIDENCE = 0.99, 0.95
LOAD = 0.8  # of the queue
QUERIES = 1000  # a run
RUNS = 400  # a seed
RATE, SERVICE_S, STALL_S, DURATION_S = 100.0, 0.005, 1.0, 30.0  # of the stalled run

INDEPENDENT, QUEUED = "independent", "queued"


def percentile(load: float, p: float = P) -> float:
    """The latency that a share p stays below, in service times: -log(1 - p) / (1 - load)."""
    return -np.log1p(-p) / (1 - load)


def independent(load: float, runs: int, queries: int, rng: np.random.Generator) -> np.ndarray:
    """(runs, queries) latencies of the queue's distribution, each drawn by itself."""
    return rng.exponential(1 / (1 - load), (runs, queries))


def queued(load: float, runs: int, queries: int, rng: np.random.Generator) -> np.ndarray:
    """(runs, queries) latencies of neighbours in the queue, which has run for ever before the first.

    Lindley's recursion: wait <- max(0, wait + service - gap). The first wait is drawn from its stationary law: none
    with probability 1 - load, else exponential of mean 1 / (1 - load).
    """
    wait = rng.exponential(1 / (1 - load), runs) * (rng.random(runs) < load)
    latencies = np.empty((runs, queries))
    for k in range(queries):
        service = rng.exponential(size=runs)
        latencies[:, k] = wait + service
        wait = np.maximum(0.0, latencies[:, k] - rng.exponential(1 / load, runs))
    return latencies


DRAWN: dict[str, Callable[[float, int, int, np.random.Generator], np.ndarray]] = {
    INDEPENDENT: independent,
    QUEUED: queued,
}


def records(kind: str, seed: int, queries: int = QUERIES, runs: int = RUNS) -> list[Latencies]:
    """The latencies of so many runs of this kind."""
    drawn = DRAWN[kind](LOAD, runs, queries, generator(seed, "percentiles", kind))
    return [Latencies(latency_s=each, wall_s=1.0) for each in drawn]


def covered(kind: str, seed: int, queries: int = QUERIES, runs: int = RUNS) -> float:
    """The share of runs whose interval of the p99 holds the true one."""
    truth = percentile(LOAD)
    ends = [each.interval(P, CONFIDENCE) for each in records(kind, seed, queries, runs)]
    return float(np.mean([low <= truth <= high for low, high in ends]))


def passed(kind: str, seed: int, queries: int = QUERIES, runs: int = RUNS) -> float:
    """The share of runs that early stopping passes on a bound which a share P of queries keeps, and no more."""
    bound = percentile(LOAD)
    return float(np.mean([keeps_bound(each, bound, P).passed for each in records(kind, seed, queries, runs)]))


def stalled(closed: bool, seed: int) -> Trace:
    """A run at equal gaps on a clock that stands still, of a model that stalls once, somewhere in the middle half."""
    rng = generator(seed, "stall")
    count = int(RATE * DURATION_S)
    service = rng.gamma(16.0, SERVICE_S / 16, count)
    service[int(count * (0.25 + 0.5 * rng.random()))] += STALL_S
    clock, times = VirtualClock(), iter(service)
    system = Inline(lambda sample: clock.advance(next(times)))
    return run(system, [0], Paced(RATE, count, closed=closed), clock=clock)


WORDS = {
    INDEPENDENT: "independent latencies",
    QUEUED: f"latencies of one queue, at load {LOAD:g}",
}


def coverage(kind: str, seeds: Sequence[int] = SEEDS) -> Result:
    """Whether the interval of a p99 holds it as often as it says."""
    claim = Claim(
        f"interval-{kind}",
        f"The 95 % interval of a p99 from order statistics holds the true one at least as often: {WORDS[kind]}.",
        "David & Nagaraja (2003), for independent draws"
        if kind == INDEPENDENT
        else "What users of it assume",
        f"share of runs of {QUERIES:,} queries whose interval holds the true p99, minus 0.95",
        "at least",
        SHARE,
        (-CONFIDENCE, 1 - CONFIDENCE),
    )
    return measure(claim, [covered(kind, seed) - CONFIDENCE for seed in seeds])


def stopping(kind: str, seeds: Sequence[int] = SEEDS) -> Result:
    """Whether early stopping errs as seldom as it says."""
    claim = Claim(
        f"early-stopping-{kind}",
        "A p99 that does not keep its bound passes MLPerf's early stopping once in a hundred runs at most: "
        f"{WORDS[kind]}.",
        "MLPerf Inference Rules, which take queries for independent",
        f"0.01 minus the share of runs of {QUERIES:,} queries that pass, where exactly 99 % keep the bound",
        "at least",
        SHARE,
        (-0.99, 0.01),
    )
    return measure(claim, [0.01 - passed(kind, seed) for seed in seeds])


def hidden(seeds: Sequence[int] = SEEDS) -> Result:
    """What a closed loop's p99 leaves out."""
    claim = Claim(
        "closed-loop-hides",
        f"A closed loop that counts from the sending hides a stall: {STALL_S:g} s of {DURATION_S:g}, on a clock "
        "that stands still.",
        "Tene (2013)",
        "log10 of the p99 that users see over the p99 that the closed loop reports",
        "positive",
        FACTOR,
    )
    effects = []
    for seed in seeds:
        users, loop = stalled(False, seed).latencies(), stalled(True, seed).latencies("issued")
        effects.append(float(np.log10(users.percentile(P) / loop.percentile(P))))
    return measure(claim, effects)


CLAIMS: dict[str, Callable[..., Result]] = {
    "closed-loop-hides": hidden,
    **{f"interval-{kind}": partial(coverage, kind) for kind in DRAWN},
    **{f"early-stopping-{kind}": partial(stopping, kind) for kind in DRAWN},
}
