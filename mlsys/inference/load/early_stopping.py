"""How many queries prove a percentile: MLPerf's early stopping.

If a share p of all queries kept a bound, and no more, then at most t of n independent ones break it with probability

    P(B <= t),  B binomial(n, 1 - p).

Once that is at most 1 - c, having seen t of n says with confidence c that more than p keep it: a run may stop at the
least such n. For p = 0.9 and c = 0.99 that is 44, 64, 81 queries at t = 0, 1, 2; for p = 0.99, 459, 662, 838.
Source: MLCommons, MLPerf Inference Rules, appendix "Early Stopping Criterion".
Limit: queries that wait in one queue are slow together; the bound takes them for independent.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy.special import bdtr
from scipy.stats import binom

from mlsys.core.checks import real, whole
from mlsys.inference.metrics.latency import Latencies

CONFIDENCE = 0.99


def queries_needed(over: int, p: float, confidence: float = CONFIDENCE) -> int:
    """The least n with P(binomial(n, 1 - p) <= over) <= 1 - confidence.

    over : queries that took longer than the bound;  p, confidence : in (0, 1)
    """
    over = whole(over=over)
    p, tail = _open(p=p), 1 - _open(confidence=confidence)
    low, high = over, over + 1  # low is never enough: over of over queries break the bound
    while bdtr(over, high, 1 - p) > tail:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if bdtr(over, middle, 1 - p) <= tail else (middle, high)
    return high


class Verdict(NamedTuple):
    """passed : whether the bound is proved;  over : how many broke it;  sent : of how many

    needed : how many queries would prove it with this many over;  more : how many are missing, were none of them over
    """

    passed: bool
    over: int
    sent: int
    needed: int

    @property
    def more(self) -> int:
        return max(0, self.needed - self.sent)


def keeps_bound(
    latencies: Latencies, bound_s: float, p: float = 0.99, confidence: float = CONFIDENCE
) -> Verdict:
    """Whether more than a share p of queries keep the bound, with this confidence: the server scenario's verdict.

    A query that was refused, failed or never came back has broken the bound.
    """
    bound_s = real(bound_s=bound_s)
    over = latencies.sent - int((latencies.ranked <= bound_s).sum())
    needed = queries_needed(over, p, confidence)
    return Verdict(latencies.sent >= needed, over, latencies.sent, needed)


class Estimate(NamedTuple):
    """latency_s : the percentile is below, with the asked confidence; None if there were too few queries

    discarded : how many slower queries were left out;  needed : queries for any estimate at all
    """

    latency_s: float | None
    discarded: int
    needed: int


def percentile_estimate(latencies: Latencies, p: float, confidence: float = CONFIDENCE) -> Estimate:
    """What the percentile is below with this confidence: the figure of the single- and multi-stream scenarios.

    The (t)-th largest latency, t being the most over-latency queries that n allows: as LoadGen does, which
    demands t >= 1, and so 64 queries for p90 and 662 for p99. What has no answer ranks as infinitely slow.
    """
    n, needed = latencies.sent, queries_needed(1, p, confidence)
    if n < needed:
        return Estimate(None, 0, needed)
    t = int(binom.ppf(1 - confidence, n, 1 - p))
    while bdtr(t, n, 1 - p) > 1 - confidence:
        t -= 1
    rank = n - t
    value = float(latencies.ranked[rank]) if rank < latencies.answered else math.inf
    return Estimate(value, t - 1, needed)


def _open(**named: float) -> float:
    ((name, value),) = named.items()
    if not 0 < real(**named) < 1:
        raise ValueError(f"{name} must lie in (0, 1); got {value!r}. 0.99 is usual.")
    return float(value)
