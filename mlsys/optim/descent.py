"""Stochastic gradient descent as an Algorithm: pick a batch at random, use its gradient by a Rule."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mlsys.core.algorithm import Objective
from mlsys.core.checks import whole
from mlsys.core.rule import Rule


class SGDState(NamedTuple):
    """x (d,) : the point;  rule : the Rule's state."""

    x: Any
    rule: Any


class SGDInfo(NamedTuple):
    """batch (b,) : indices drawn, None for all;  g (d,) : the gradient used."""

    batch: Any
    g: Any


class sgd:
    """Minimise an objective: draw a batch (or take everything), hand its gradient to a rule.

    objective : Objective;  rule : Rule;  batch_size : int >= 1 terms drawn with replacement, None for all n
    init(x (d,)) -> SGDState;  step(rng, state) -> (SGDState, SGDInfo)
    Raises ValueError if batch_size < 1.
    """

    def __init__(self, objective: Objective, rule: Rule, batch_size: int | None = None) -> None:
        self.objective, self.rule = objective, rule
        self.batch_size = None if batch_size is None else whole(1, batch_size=batch_size)

    def init(self, x: Any) -> SGDState:
        """The state at x before the first step."""
        return SGDState(x, self.rule.init(x))

    def step(self, rng: np.random.Generator, state: SGDState) -> tuple[SGDState, SGDInfo]:
        """One batch, one gradient, one update."""
        batch = None if self.batch_size is None else rng.integers(self.objective.n, size=self.batch_size)
        g = self.objective.gradient(state.x, batch)
        x, rule = self.rule.step(state.x, g, state.rule)
        return SGDState(x, rule), SGDInfo(batch, g)
