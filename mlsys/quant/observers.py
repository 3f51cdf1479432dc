"""Calibration in a stream: what is remembered of the activations while batches pass. Each `observe` is pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from mlsys.core.checks import positive, whole
from mlsys.quant.ranges import min_max, rows

Range = tuple[np.ndarray, np.ndarray]


class Observer(Protocol):
    """observe(x) -> the observer that has seen x too;  range() -> (lo, hi).

    Both raise ValueError: for an x that is empty or not finite (counted), for the range before any batch.
    """

    def observe(self, x: Any) -> Observer: ...
    def range(self) -> Range: ...


@dataclass(frozen=True)
class MinMax:
    """The least and the largest number seen; one outlier decides."""

    seen: Range | None = None

    def observe(self, x: Any) -> MinMax:
        lo, hi = min_max(x)
        if self.seen is not None:
            lo, hi = np.minimum(self.seen[0], lo), np.maximum(self.seen[1], hi)
        return MinMax((lo, hi))

    def range(self) -> Range:
        return _seen(self.seen)


@dataclass(frozen=True)
class MovingAverage:
    """lo <- lo + c (min(x) - lo), and hi likewise, from the first batch on: it follows what changes in training.

    rate : c, in (0, 1]. Raises ValueError if it is not.
    """

    rate: float = 0.01
    seen: Range | None = None

    def __post_init__(self) -> None:
        if positive(rate=self.rate) > 1:
            raise ValueError(f"rate must lie in (0, 1]; got {self.rate!r}. 0.01 averages over 100 batches.")

    def observe(self, x: Any) -> MovingAverage:
        lo, hi = min_max(x)
        if self.seen is not None:
            lo, hi = (old + self.rate * (new - old) for old, new in zip(self.seen, (lo, hi), strict=True))
        return replace(self, seen=(lo, hi))

    def range(self) -> Range:
        return _seen(self.seen)


@dataclass(frozen=True, eq=False)
class Histogram:
    """Percentiles of all batches together, from counts in bins over [-width, width).

    When a number lies outside, the width doubles and pairs of bins merge, so that no count is ever split or guessed:
    a percentile is off by at most one bin, and a bin is at most 4 / bins of the largest magnitude seen.
    bins : a multiple of 4;  p : in (50, 100]: the range leaves 100 - p percent out at each end
    """

    p: float = 99.9
    bins: int = 4096
    width: float = 0.0
    counts: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        if whole(4, bins=self.bins) % 4:
            raise ValueError(f"bins must be a multiple of 4, so that pairs merge about 0; got {self.bins}.")
        if not 50 < positive(p=self.p) <= 100:
            raise ValueError(f"p must lie in (50, 100]; got {self.p!r}.")

    def observe(self, x: Any) -> Histogram:
        numbers = rows(x, None)[0].astype(np.float64)
        counts = self.counts if len(self.counts) else np.zeros(self.bins, np.int64)
        largest = float(np.abs(numbers).max())
        width = self.width
        if not width and largest:  # a power of two: bins and their edges are then exact
            width = 2.0 ** (np.floor(np.log2(largest)) + 1)
        while width and width <= largest:
            outer = np.zeros(self.bins // 4, np.int64)
            counts = np.concatenate([outer, counts.reshape(-1, 2).sum(1), outer])
            width *= 2
        # Before there is a width all numbers are 0, whose bin is the same for every width.
        place = np.floor((numbers / (width or 1.0) + 1) * (self.bins // 2)).astype(np.int64)
        counts = counts + np.bincount(np.clip(place, 0, self.bins - 1), minlength=self.bins)
        return replace(self, width=width, counts=counts)

    def range(self) -> Range:
        """(lo, hi): the outer edges of the bins in which the two percentiles lie."""
        total = int(self.counts.sum())
        if not total:
            return _seen(None)
        below = np.cumsum(self.counts)
        left = (100 - self.p) / 100 * total
        first = int(np.searchsorted(below, left, side="right"))
        last = int(np.searchsorted(below, total - left, side="left"))
        edges = (np.arange(self.bins + 1) / (self.bins // 2) - 1) * self.width
        return np.asarray(edges[min(first, last)]), np.asarray(edges[last + 1])


def _seen(range_: Range | None) -> Range:
    if range_ is None:
        raise ValueError("nothing was observed yet. Pass the calibration batches through observe first.")
    return range_
