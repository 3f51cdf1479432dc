"""What every race of the project reports, and the one way to time candidates against each other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Row:
    """One comparison. ratio = peer / ours: above 1 ours needs less; met says whether ratio >= goal, if there is one.

    ours, peer : medians, in the unit that `metric` ends with
    spread : quartiles of ours, of peer and of the ratio taken round by round, and how many rounds
    contention : the share of the machine's processor time that others took meanwhile; None where unknown
    """

    race: str
    case: str
    metric: str
    ours: float
    peer: float
    peer_name: str
    ratio: float
    goal: float | None = None
    spread: dict[str, Any] = field(default_factory=dict)
    contention: float | None = None

    @property
    def met(self) -> bool | None:
        return None if self.goal is None else self.ratio >= self.goal

    def data(self) -> dict[str, Any]:
        """For JSON: three or four digits are more than a clock gives."""
        return {k: _rounded(v) for k, v in {**asdict(self), "met": self.met}.items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return [_rounded(v) for v in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Race:
    """A named race: the tests that must be green first, and what runs it. run(quick) yields rows as they come."""

    name: str
    tests: tuple[str, ...]
    modules: tuple[str, ...]
    run: Callable[[bool], Iterator[Row]]


class Contention:
    """The share of the processors' time that went to others than this process and its children."""

    def __enter__(self) -> Contention:
        self._start = self._read()
        return self

    def __exit__(self, *error: object) -> None:
        self.share: float | None = None
        end = self._read()
        if self._start is not None and end is not None and end[2] > self._start[2]:
            busy, own, total = (b - a for a, b in zip(self._start, end, strict=True))
            self.share = max(0.0, (busy - own) / total)

    @staticmethod
    def _read() -> tuple[float, float, float] | None:
        """Seconds, all processors together: busy or stolen, ours, all."""
        stat = Path("/proc/stat")
        if not stat.exists():
            return None
        user, nice, system, idle, iowait, irq, soft, steal = map(
            int, stat.read_text().split("\n")[0].split()[1:9]
        )
        tick = os.sysconf("SC_CLK_TCK")
        busy = user + nice + system + irq + soft + steal
        return busy / tick, sum(os.times()[:4]), (busy + idle + iowait) / tick


def seconds(
    candidates: Mapping[str, Callable[[], Any]], rounds: int, every: Mapping[str, int]
) -> dict[str, Any]:
    """Seconds of each candidate, round by round, in an order that turns, so that drift and neighbours hit all alike.

    A turn is two calls, the second timed: the caches then hold what the candidate itself left there, as in
    training, and not the memory of its rivals.
    every : a slow candidate's name -> it runs in each so many-th round only; NaN in the others
    Returns name -> (rounds,) array.
    """
    names = list(candidates)
    out = {name: np.full(rounds, np.nan) for name in names}
    for name in names:
        candidates[name]()
    for r in range(rounds):
        for name in names[r % len(names) :] + names[: r % len(names)]:
            if r % every.get(name, 1) == 0:
                candidates[name]()
                began = time.perf_counter()
                candidates[name]()
                out[name][r] = time.perf_counter() - began
    return out


def compare(times: Mapping[str, np.ndarray], ours: str, peer: str, **about: Any) -> Row:
    """The row of two of the candidates; the ratio is the median of the ratios within a round."""
    a, b = times[ours], times[peer]
    both = ~np.isnan(a) & ~np.isnan(b)
    ratios = b[both] / a[both]
    spread = {
        "ours": _quartiles(a[both]),
        "peer": _quartiles(b[both]),
        "ratio": _quartiles(ratios),
        "rounds": int(both.sum()),
    }
    medians = float(np.median(a[both])), float(np.median(b[both]))
    return Row(
        ours=medians[0],
        peer=medians[1],
        ratio=float(np.median(ratios)),
        spread=spread,
        peer_name=peer,
        **about,
    )


def _quartiles(x: np.ndarray) -> list[float]:
    return [float(q) for q in np.percentile(x, [25, 75])]
