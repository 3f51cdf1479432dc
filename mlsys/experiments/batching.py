"""Batches on a deterministic clock, and the lecture's claims about their size.

A pass over a batch of n takes FIXED_S + n EACH_S: a fixed part, the weights that are read once, and a part for each
sample. The clock is exact, so that the seeds differ by their arrivals alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from mlsys.experiments.runs import FACTOR, SEEDS, log_ratio
from mlsys.inference.load import Server
from mlsys.inference.metrics import Latencies
from mlsys.inference.serve import Ended, Limits, Request, replay
from mlsys.report import Claim, Result, measure, record

LECTURE = "Lecture on inference and its metrics"
FIXED_S, EACH_S = 4e-3, 1e-4
REQUESTS = 2000
LARGE = 16  # the batch that claims compare with 1
WAIT_S = 4e-3


def service_s(samples: int) -> float:
    """How long a pass over so many samples takes here."""
    return FIXED_S + samples * EACH_S


def capacity(batch: int) -> float:
    """Requests a second that full batches of this size keep up with."""
    return batch / service_s(batch)


def arrivals(rate_per_s: float, seed: int, count: int = REQUESTS) -> list[Request]:
    """Poisson arrivals, one sample each."""
    due = Server(rate_per_s).schedule(seed, count)
    return [Request(i, float(at)) for i, at in enumerate(due)]


class Served(NamedTuple):
    """ended : every request's end;  latencies : of those answered;  batches : how many were computed"""

    ended: tuple[Ended, ...]
    latencies: Latencies
    batches: int

    @property
    def mean_batch(self) -> float:
        """Requests a batch."""
        return self.latencies.answered / self.batches

    @property
    def waited_s(self) -> float:
        """From arrival to the start of the batch, the mean."""
        return float(np.mean([e.start_s - e.request.arrival_s for e in self.ended if e.start_s is not None]))


def served(
    max_batch: int,
    max_wait_s: float,
    requests: Iterable[Request],
    service: Callable[[int], float] = service_s,
    queue: int = 100_000,
) -> Served:
    """These requests under this policy, on the deterministic clock; a queue that is never full unless one is given."""
    ended = replay(Limits(max_batch, max_wait_s, queue), requests, service)
    answered = [e for e in ended if e.batch is not None]
    latency_s = np.array([e.finish_s - e.request.arrival_s for e in answered])
    wall_s = max((e.finish_s for e in answered), default=0.0)
    latencies = Latencies(latency_s, wall_s, refused=len(ended) - len(answered))
    return Served(ended, latencies, len({e.batch for e in answered}))


@cache
def percentile_s(p: float, max_batch: int, max_wait_s: float, load: float, seed: int) -> float:
    """Of the latency, at `load` times what batches of one keep up with."""
    return served(max_batch, max_wait_s, arrivals(load * capacity(1), seed)).latencies.percentile(p)


IDLE, BUSY = 0.1, 0.9  # times what batches of one keep up with
BEYOND = 1.2  # times what full batches do


def _compared(
    name: str, statement: str, source: str, words: str, kind: str, effects: Sequence[float]
) -> Result:
    words = f"log10 of {words}, {REQUESTS} Poisson arrivals, deterministic clock"
    claim = Claim(name, statement, source, words, kind, FACTOR)  # type: ignore[arg-type]
    return measure(claim, effects)


def _larger(name: str, load: float, what: str, seeds: Sequence[int]) -> Result:
    words = (
        f"the 99th percentile of latency with batches of up to {LARGE} over that of batches of one, no waiting for "
        f"others, at {100 * load:g} % of what batches of one keep up with"
    )
    effects = [
        log_ratio(percentile_s(0.99, LARGE, 0.0, load, s), percentile_s(0.99, 1, 0.0, load, s)) for s in seeds
    ]
    statement = f"A larger batch size means worse latency ({what})."
    return _compared(name, statement, LECTURE, words, "positive", effects)


def batch_latency_idle(seeds: Sequence[int] = SEEDS) -> Result:
    """Whether allowing batches makes answers later where few come."""
    return _larger("batch-latency-idle", IDLE, "of a server that is mostly idle", seeds)


def batch_latency_busy(seeds: Sequence[int] = SEEDS) -> Result:
    """The same where many come."""
    return _larger("batch-latency-busy", BUSY, "of a server that is busy", seeds)


def _waiting(name: str, p: float, what: str, seeds: Sequence[int]) -> Result:
    words = (
        f"the {what} with a wait of up to {1e3 * WAIT_S:g} ms for others over that without, batches of up to "
        f"{LARGE}, at {100 * IDLE:g} % of what batches of one keep up with"
    )
    effects = [
        log_ratio(percentile_s(p, LARGE, WAIT_S, IDLE, s), percentile_s(p, LARGE, 0.0, IDLE, s))
        for s in seeds
    ]
    statement = f"To wait for others, so that batches fill, makes latency worse (its {what}, mostly idle)."
    return _compared(name, statement, LECTURE, words, "positive", effects)


def batch_wait_median(seeds: Sequence[int] = SEEDS) -> Result:
    """What waiting for others costs most."""
    return _waiting("batch-wait-median", 0.5, "median", seeds)


def batch_wait_tail(seeds: Sequence[int] = SEEDS) -> Result:
    """What it costs the unlucky ones, who wait anyway: for a pass that began just before they came."""
    return _waiting("batch-wait-tail", 0.99, "99th percentile", seeds)


def batch_wait_throughput(seeds: Sequence[int] = SEEDS) -> Result:
    """What waiting for others brings a server that has more to do than it can."""
    words = (
        f"the throughput with a wait of up to {1e3 * WAIT_S:g} ms over that without, batches of up to {LARGE}, "
        f"at {BEYOND:g} times the rate that full batches keep up with"
    )
    effects = []
    for seed in seeds:
        requests = arrivals(BEYOND * capacity(LARGE), seed)
        waiting, at_once = (served(LARGE, w, requests).latencies.throughput for w in (WAIT_S, 0.0))
        effects.append(log_ratio(waiting, at_once))
    statement = (
        "A server at its limit gains no throughput from waiting for others: its batches fill by themselves."
    )
    return _compared("batch-wait-throughput", statement, "Our question", words, "none", effects)


def _pass(model: str, batch: int) -> list[float]:
    """Seconds of a pass of this batch over those of a batch of one, in each block of the record."""
    times = record.load("forward_pass")["result"]["pass_s"][model]
    return [large / one for large, one in zip(times[str(batch)], times["1"], strict=True)]


def _of_pass(name: str, statement: str, model: str, batch: int, throughput: bool) -> Result:
    ratios = _pass(model, batch)
    what = "examples a second" if throughput else "seconds"
    words = (
        f"log10 of the {what} of a forward pass of {batch} over a pass of one, {model}, one thread; "
        "each block of a record's rounds is a seed"
    )
    effects = [float(np.log10(batch / r if throughput else r)) for r in ratios]
    return measure(Claim(name, statement, LECTURE, words, "positive", FACTOR), effects)


def batch_throughput_wide() -> Result:
    """Throughput of large batches where the weights' bytes decide."""
    statement = "Batches buy throughput (of a network of wide dense layers)."
    return _of_pass("batch-throughput-wide", statement, "wide-mlp:4096", 32, throughput=True)


def batch_throughput_conv() -> Result:
    """The same where arithmetic decides at batch 1 already."""
    statement = "Batches buy throughput (of a conv net)."
    return _of_pass("batch-throughput-conv", statement, "conv-net:32", 32, throughput=True)


def batch_pass_latency() -> Result:
    """The time of a pass, which is what the lecture's demo shows."""
    statement = "Batches cost latency: a pass takes longer (of a network of wide dense layers)."
    return _of_pass("batch-pass-latency", statement, "wide-mlp:4096", 32, throughput=False)


CLAIMS: dict[str, Callable[..., Result]] = {
    "batch-throughput-wide": batch_throughput_wide,
    "batch-throughput-conv": batch_throughput_conv,
    "batch-pass-latency": batch_pass_latency,
    "batch-latency-idle": batch_latency_idle,
    "batch-latency-busy": batch_latency_busy,
    "batch-wait-median": batch_wait_median,
    "batch-wait-tail": batch_wait_tail,
    "batch-wait-throughput": batch_wait_throughput,
}
