"""A noisy regression whose features differ in scale, or do not. `measured` makes the record `equal_scales`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from mlsys.core import Rule
from mlsys.data import load
from mlsys.experiments.parallel import parallel
from mlsys.experiments.runs import between, last, outcome, stream, tuned
from mlsys.models import LeastSquares
from mlsys.optim import adagrad, adam, gradient_descent, gradient_rule, rmsprop, sgd
from mlsys.optim.ray import Ray

# The effects are about as large as the margin: neither 30 seeds nor 120 told on which side of it. These are others.
MANY = tuple(range(401, 881))


class RootDecay:
    """One rate for all coordinates, falling as AdaGrad's would under gradients of a steady size.

        alpha_t = rate / sqrt(t)

    rate : float > 0, in units of w**2 / f
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def init(self) -> int:
        """No step taken."""
        return 0

    def length(self, ray: Ray, memory: int) -> tuple[float, int]:
        """(alpha, steps taken)."""
        return self.rate / np.sqrt(memory + 1), memory + 1


@cache
def regression(
    make: Any, rate: float, seed: int, ratio: float = 1.0, steps: int = 600, standardise: bool = False
) -> float:
    """The gap left on a noisy linear regression whose features differ in scale by `ratio`, batches of 4.

    standardise : divide each feature by its standard deviation first
    """
    data = load("scaled-regression", seed, ratio=ratio, noise=1.0)
    objective = LeastSquares(data.X / data.X.std(0) if standardise else data.X, data.y)
    made = make(rate)
    descent = sgd if isinstance(made, Rule) else gradient_descent
    algorithm = descent(objective, made, batch_size=4)
    state = last(algorithm, np.zeros(objective.d), stream(seed, "batches"), steps)
    return outcome(lambda w: objective.value(w) - objective.f_star, state)


@cache
def best_rate(make: Any, ratio: float, low: float, high: float) -> float:
    """The best rate for the regression."""
    return tuned(lambda r, seed: regression(make, r, seed, ratio), between(low, high))


METHODS: dict[str, tuple[Any, float, float]] = {  # and between which rates the best one is looked for
    "SGD": (gradient_rule, 0.003, 0.03),
    "AdaGrad": (adagrad, 0.03, 0.6),
    "RMSProp": (rmsprop, 0.001, 0.03),
    "Adam": (adam, 0.003, 0.06),
    "falling rate": (RootDecay, 0.03, 1),
}


def gaps(method: str, rate: float, seeds: Sequence[int]) -> list[float]:
    """What a method leaves where all scales are alike, a seed each."""
    return [regression(METHODS[method][0], rate, seed) for seed in seeds]


def measured(seeds: Sequence[int] = MANY) -> dict[str, Any]:
    """{method: {"rate": its best on the tuning seeds, "gaps": what it leaves, a seed each}}."""
    rates = {name: best_rate(make, 1.0, low, high) for name, (make, low, high) in METHODS.items()}
    parts = [seeds[i : i + 40] for i in range(0, len(seeds), 40)]
    tasks = [(name, rate, part) for name, rate in rates.items() for part in parts]
    result: dict[str, Any] = {name: {"rate": rate, "gaps": []} for name, rate in rates.items()}
    for (name, _, _), found in zip(tasks, parallel(gaps, tasks), strict=True):
        result[name]["gaps"] += found
    return result
