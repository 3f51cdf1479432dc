"""What every experiment needs: run an algorithm and keep what was asked for; choose a rate on seeds of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mlsys.core import Algorithm, generator, iterate

SEEDS = tuple(range(1, 11))
TUNING_SEEDS = (101, 102, 103, 104)
RATES = tuple(
    float(r) for r in 10.0 ** np.arange(-3, 2.1, 0.25)
)  # four a decade: neighbours differ 1.8 times
TINY = 1e-12  # gaps below it are rounding: they count as this much
FACTOR = 0.1  # the margin of every log10 of a ratio: a factor of 1.26 either way counts as no effect
SHARE = 0.01  # that of a share: one in a hundred


def last(algorithm: Algorithm, x0: Any, rng: np.random.Generator, steps: int) -> Any:
    """The state after so many steps, or None where the run diverged."""
    state = None
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            for state, _ in iterate(algorithm, x0, rng, steps, progress=False):  # noqa: B007
                pass
    except FloatingPointError:
        return None
    return state


def outcome(value: Callable[[Any], float], state: Any, worst: float = 1e6) -> float:
    """The value at a state's point, at most `worst`, which a diverged run gets."""
    if state is None or not np.isfinite(state.x).all():
        return worst
    with np.errstate(over="ignore"):
        found = float(value(state.x))
    return min(found, worst) if math.isfinite(found) else worst


def tuned(run: Callable[[float, int], float], rates: Sequence[float] = RATES) -> float:
    """The rate whose worst result on the tuning seeds, which no measurement uses, is smallest.

    Raises ValueError if it is the first or the last of the rates: a better one may lie beyond.
    """
    best = min(rates, key=lambda rate: max(run(rate, seed) for seed in TUNING_SEEDS))
    if best in (rates[0], rates[-1]):
        raise ValueError(f"rates must reach beyond the best one; got {best:g} at the end of {tuple(rates)}.")
    return best


def between(low: float, high: float) -> tuple[float, ...]:
    """The rates of the grid from low to high, both included, with a little room for rounding."""
    return tuple(rate for rate in RATES if 0.99 * low <= rate <= 1.01 * high)


def log_ratio(above: float, below: float, floor: float = TINY) -> float:
    """log10(above / below), both at least `floor`: +1 is ten times smaller below."""
    return math.log10(max(above, floor) / max(below, floor))


def stream(seed: int, what: str) -> np.random.Generator:
    """The random numbers of an experiment: another word gives independent ones."""
    return generator(seed, "adaptive-rates", what)
