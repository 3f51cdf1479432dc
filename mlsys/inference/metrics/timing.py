"""How long a call takes, honestly: warm first, rivals in turn, quartiles beside the median."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlsys.core.checks import positive, whole


@dataclass(frozen=True)
class WarmUp:
    """When a candidate counts as warm: its last `window` calls have a median no more than `tolerance` below that
    of the window before: it no longer gets faster. After `most` calls the measurement begins all the same, and says so.
    """

    window: int = 5
    tolerance: float = 0.1
    most: int = 200

    def __post_init__(self) -> None:
        whole(1, window=self.window)
        positive(tolerance=self.tolerance)
        whole(2 * self.window, most=self.most)


@dataclass(frozen=True, eq=False)
class Timing:
    """latency_s : (rounds,) of one candidate;  warm_up_calls : made before;  steady : whether the last were as slow"""

    latency_s: np.ndarray
    warm_up_calls: int
    steady: bool

    @property
    def median_s(self) -> float:
        return float(np.median(self.latency_s))

    @property
    def quartiles_s(self) -> tuple[float, float]:
        low, high = np.percentile(self.latency_s, [25, 75])
        return float(low), float(high)

    def data(self) -> dict[str, Any]:
        return {
            "median_s": self.median_s,
            "quartiles_s": list(self.quartiles_s),
            "rounds": len(self.latency_s),
            "warm_up_calls": self.warm_up_calls,
            "steady": self.steady,
        }


def compare(
    candidates: Mapping[str, Callable[[], Any]],
    rounds: int = 30,
    warm_up: WarmUp | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """Time each candidate's call once a round, all of them in every round, in an order that turns.

    So drift of the clock rate and busy neighbours hit all alike: compare the candidates round by round. An error
    of a candidate is the caller's to see: nothing is caught.
    Raises ValueError if there is no candidate or rounds < 1.
    """
    rounds, rule = whole(1, rounds=rounds), warm_up or WarmUp()
    if not candidates:
        raise ValueError("candidates must name at least one call; got none.")
    names = list(candidates)
    warm = {name: _warmed(candidates[name], rule, clock) for name in names}
    seconds = {name: np.empty(rounds) for name in names}
    for r in range(rounds):
        first = r % len(names)
        for name in names[first:] + names[:first]:
            seconds[name][r] = _timed(candidates[name], clock)
    return {name: Timing(seconds[name], *warm[name]) for name in names}


def _timed(call: Callable[[], Any], clock: Callable[[], float]) -> float:
    began = clock()
    call()
    return clock() - began


def _warmed(call: Callable[[], Any], rule: WarmUp, clock: Callable[[], float]) -> tuple[int, bool]:
    """How many calls it took, and whether they came to be steady."""
    times: list[float] = []
    while len(times) + rule.window <= rule.most:
        times += [_timed(call, clock) for _ in range(rule.window)]
        last, before = times[-rule.window :], times[-2 * rule.window : -rule.window]
        if before and np.median(last) >= (1 - rule.tolerance) * np.median(before):
            return len(times), True
    return len(times), False
