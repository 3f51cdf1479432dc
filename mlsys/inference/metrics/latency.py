"""How long queries took: a record that keeps every query, and exact percentiles of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.stats import binom

from mlsys.core.checks import nonnegative, real, whole

PERCENTILES = (0.5, 0.9, 0.95, 0.99, 0.999)
NAMES = {0.5: "p50", 0.9: "p90", 0.95: "p95", 0.99: "p99", 0.999: "p99.9"}


@dataclass(frozen=True, eq=False)
class Latencies:
    """What became of every query of a run: the times of those answered, and how many had no answer.

    latency_s : (answered,) seconds, in any order, kept as float64 in an array that cannot be written to
    wall_s : seconds from the run's start to its last answer
    refused, failed, unaccounted : queries that the system turned down, broke on, never came back with
    wrong, not_finite : how many of the answered held a wrong number, a NaN or an infinity

    A latency that is NaN, negative or infinite is no time at all. It is counted in `invalid`, and ranks above
    every other: a broken clock never makes a percentile look better.
    Raises ValueError if latency_s is not one-dimensional, a count or wall_s is negative, or more are wrong or
    not finite than were answered.
    """

    latency_s: np.ndarray
    wall_s: float
    refused: int = 0
    failed: int = 0
    unaccounted: int = 0
    wrong: int = 0
    not_finite: int = 0
    invalid: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        given = np.array(self.latency_s, dtype=np.float64)
        if given.ndim != 1:
            raise ValueError(f"latency_s must be (n,); got shape {given.shape}. Pass one latency a query.")
        counts = {
            name: whole(**{name: getattr(self, name)}) for name in (*_UNANSWERED, "wrong", "not_finite")
        }
        for name in ("wrong", "not_finite"):
            if counts[name] > len(given):
                raise ValueError(f"{name} must be <= the {len(given)} answered; got {counts[name]}.")
        ranked = np.where(np.isfinite(given) & (given >= 0), given, np.inf)
        ranked.sort()
        given.flags.writeable = ranked.flags.writeable = False
        invalid = {
            "nan": int(np.isnan(given).sum()),
            "negative": int((given < 0).sum() - np.isneginf(given).sum()),
            "infinite": int(np.isinf(given).sum()),
        }
        values = {**counts, "latency_s": given, "wall_s": nonnegative(wall_s=self.wall_s), "_ranked": ranked}
        for name, value in {**values, "invalid": invalid}.items():
            object.__setattr__(self, name, value)

    @property
    def ranked(self) -> np.ndarray:
        """(answered,) the latencies in order, what is no time as infinity at the end."""
        return self.__dict__["_ranked"]

    @property
    def answered(self) -> int:
        return len(self.latency_s)

    @property
    def sent(self) -> int:
        """sent = answered + refused + failed + unaccounted."""
        return self.answered + self.refused + self.failed + self.unaccounted

    @property
    def throughput(self) -> float:
        """Answered queries per second of wall time; NaN where no time passed."""
        return self.answered / self.wall_s if self.wall_s else math.nan

    def percentile(self, p: float) -> float:
        """sorted[floor(n * p)], the last one at most; NaN of no answers, inf where the rank is no time.

        It is a latency that was seen, never one between two. p : in [0, 1], taken as the decimal that it is
        written as: floor(100 * 0.29) is 29, though the product of the floats is below.
        Source: MLPerf Inference's LoadGen.
        """
        n = self.answered
        return float(self.ranked[min(n - 1, math.floor(n * _decimal(p)))]) if n else math.nan

    def interval(self, p: float, confidence: float = 0.95) -> tuple[float, float]:
        """An interval that holds the true percentile with at least this confidence, whatever the distribution.

        Of n independent latencies the number below the true percentile is binomial(n, p): so the l-th and u-th
        smallest enclose it unless fewer than l or at least u lie below, each of probability (1 - confidence)/2 at
        most. An end is 0 or infinity where n has no such order statistic. Latencies of a queue are not
        independent: neighbours wait together, and the true interval is wider.
        Source: David & Nagaraja (2003), Order Statistics, section 7.1.
        """
        n, share = self.answered, float(_decimal(p))
        if not 0 < real(confidence=confidence) < 1:
            raise ValueError(f"confidence must lie in (0, 1); got {confidence!r}. 0.95 is usual.")
        tail = (1 - confidence) / 2
        low, high = (int(binom.ppf(q, n, share)) for q in (tail, 1 - tail))
        return (
            float(self.ranked[low - 1]) if n and low >= 1 else 0.0,
            float(self.ranked[high]) if high < n else math.inf,
        )

    def enough(self, p: float, confidence: float = 0.95) -> bool:
        """Whether n is large enough for the percentile to mean anything: its interval has an upper end.

        Below that, the slowest query of the run may well be faster than the true percentile.
        """
        n, tail = self.answered, (1 - confidence) / 2
        return n > 0 and int(binom.ppf(1 - tail, n, float(_decimal(p)))) < n

    def within(self, bound_s: float) -> float:
        """The share of all queries sent that were answered within the bound; NaN if none was sent."""
        return float(np.sum(self.ranked <= bound_s)) / self.sent if self.sent else math.nan

    def notes(self) -> list[str]:
        """What a reader must know before believing the figures; empty if nothing."""
        said = []
        if self.answered == 0:
            said.append("no query was answered: there is no latency" if self.sent else "no query was sent")
        if self.wall_s == 0:
            said.append("the run took no time: there is no throughput")
        said += [
            f"{k} {_NOUN[name]}"
            for name in (*_UNANSWERED, "wrong", "not_finite")
            if (k := getattr(self, name))
        ]
        said += [f"{k} latencies are {name}: ranked slowest" for name, k in self.invalid.items() if k]
        small = [NAMES[p] for p in PERCENTILES if self.answered and not self.enough(p)]
        if small:
            said.append(f"{self.answered} answers are too few for {', '.join(small)}")
        return said

    def data(self) -> dict[str, Any]:
        """For JSON, in seconds; None where there is no number."""
        names = ("sent", "answered", *_UNANSWERED, "wrong", "not_finite")
        return {
            **{name: getattr(self, name) for name in names},
            "invalid": dict(self.invalid),
            "wall_s": self.wall_s,
            "throughput_per_s": _number(self.throughput),
            "percentiles_s": {NAMES[p]: _number(self.percentile(p)) for p in PERCENTILES},
            "intervals_s": {NAMES[p]: [_number(end) for end in self.interval(p)] for p in PERCENTILES},
            "notes": self.notes(),
        }


_UNANSWERED = ("refused", "failed", "unaccounted")
_NOUN = {
    "refused": "queries were refused",
    "failed": "queries failed",
    "unaccounted": "queries never came back",
    "wrong": "answers were wrong",
    "not_finite": "answers were not finite",
}


def _decimal(p: float) -> Fraction:
    number = real(p=p)
    if not 0 <= number <= 1:
        raise ValueError(f"p must lie in [0, 1]; got {p!r}. The 99th percentile is 0.99.")
    return Fraction(repr(number))


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
