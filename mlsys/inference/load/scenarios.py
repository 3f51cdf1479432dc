"""When queries arrive: MLPerf's four scenarios, and the closed loop at a rate that hides a stall.

Source: Reddi et al. (2020), MLPerf Inference Benchmark, section 4; the inference rules of MLCommons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mlsys.core.checks import nonnegative, positive, whole
from mlsys.core.seeds import generator


class Scenario(Protocol):
    """samples_per_query : issued together;  closed : whether a query waits until the one before is over

    A run without a schedule ends once min_queries are issued and min_duration_s is over, whichever comes later.
    """

    @property
    def samples_per_query(self) -> int: ...

    @property
    def closed(self) -> bool: ...

    @property
    def min_queries(self) -> int: ...

    @property
    def min_duration_s(self) -> float: ...

    def schedule(self, seed: int, queries: int | None) -> np.ndarray | None:
        """(n,) when each query is due, in seconds from the start; None: as soon as the one before is over.

        queries : how many; None leaves it to min_queries and min_duration_s
        """
        ...


@dataclass(frozen=True)
class _Stream:
    min_queries: int = 100
    min_duration_s: float = 0.0

    closed = True

    def __post_init__(self) -> None:
        whole(1, min_queries=self.min_queries)
        nonnegative(min_duration_s=self.min_duration_s)

    def schedule(self, seed: int, queries: int | None) -> np.ndarray | None:
        return None


@dataclass(frozen=True)
class SingleStream(_Stream):
    """One sample at a time, the next when the last is answered: a phone's camera. Its figure is p90 of latency."""

    samples_per_query = 1


@dataclass(frozen=True)
class MultiStream(_Stream):
    """Several samples at once, the next lot when all are answered: a car's cameras. Its figure is p99 of the lot."""

    samples_per_query: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        whole(1, samples_per_query=self.samples_per_query)


@dataclass(frozen=True)
class _Rated:
    rate_per_s: float
    min_queries: int = 100
    min_duration_s: float = 0.0

    samples_per_query = 1

    def __post_init__(self) -> None:
        positive(rate_per_s=self.rate_per_s)
        whole(1, min_queries=self.min_queries)
        nonnegative(min_duration_s=self.min_duration_s)


@dataclass(frozen=True)
class Server(_Rated):
    """Users who know nothing of each other: Poisson arrivals of a given mean rate, whether answered or not.

    The gaps are independent and exponential. Its figure is the rate at which p99 of latency keeps a bound.
    """

    closed = False

    def schedule(self, seed: int, queries: int | None) -> np.ndarray:
        rng, due = generator(seed, "arrivals"), np.empty(0)
        while len(due) < (queries or self.min_queries) or (queries is None and due[-1] < self.min_duration_s):
            more = rng.exponential(1 / self.rate_per_s, max(1024, len(due)))
            due = np.append(due, (due[-1] if len(due) else 0.0) + np.cumsum(more))
        least = int(np.searchsorted(due, self.min_duration_s)) + 1
        return due[: queries or max(self.min_queries, least)]


@dataclass(frozen=True)
class Paced(_Rated):
    """Arrivals at equal gaps, the k-th at k / rate. closed: each waits, besides, until the one before is over.

    The closed one is how many load testers work, and what they measure from the sending is not what a user sees:
    while the system stalls they send nothing, so that one query is slow where `rate * stall` would have been.
    Source: Tene (2013), How NOT to measure latency ("coordinated omission").
    """

    closed: bool = False

    def schedule(self, seed: int, queries: int | None) -> np.ndarray:
        count = queries or max(self.min_queries, int(np.ceil(self.rate_per_s * self.min_duration_s)) + 1)
        return np.arange(count) / self.rate_per_s


@dataclass(frozen=True)
class Offline:
    """All samples at once, at the start: a night's archive. Its figure is throughput."""

    samples: int = 1000

    closed = False
    min_queries = 1
    min_duration_s = 0.0

    def __post_init__(self) -> None:
        whole(1, samples=self.samples)

    @property
    def samples_per_query(self) -> int:
        return self.samples

    def schedule(self, seed: int, queries: int | None) -> np.ndarray:
        return np.zeros(queries or 1)
