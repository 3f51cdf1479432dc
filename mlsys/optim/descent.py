"""Descent as an Algorithm: take everything or pick a batch at random, then use the gradient."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from mlsys.core.algorithm import Objective
from mlsys.core.checks import whole
from mlsys.optim.polyak import Fixed
from mlsys.optim.ray import LineSearchError, Ray, StepLength, finite_gradient


class Updates(Protocol):
    """What sgd asks of a rule: a Rule has it, and so has adagrad_history. Its state's first field is t."""

    def init(self, w: Any) -> Any:
        """The state before the first step."""
        ...

    def step(self, w: Any, g: Any, state: Any) -> tuple[Any, Any]:
        """(w, state) after one more step."""
        ...


class SGDState(NamedTuple):
    """x (d,) : the point;  rule : the Rule's state;  order (k,) : terms of this epoch not drawn yet, or None."""

    x: Any
    rule: Any
    order: Any = None


class SGDInfo(NamedTuple):
    """batch (b,) : indices drawn, None for all;  g : the gradient used, (d,) or RowSparse."""

    batch: Any
    g: Any


class sgd:
    """Minimise an objective: draw a batch (or take everything), hand its gradient to a rule.

    objective : Objective;  rule : Rule, or anything with its init and step
    batch_size : int >= 1 terms a step, None for all n
    replace : True draws each batch with replacement; False shuffles the terms and goes through them once an
    epoch (the last batch of an epoch may be smaller)
    sparse : True uses objective.row_sparse_gradient, so that a rule moves the rows that occur in the batch
    init(x (d,)) -> SGDState;  step(rng, state) -> (SGDState, SGDInfo)
    Raises ValueError if batch_size < 1, or > n with replace=False; TypeError if sparse and the objective has no
    row_sparse_gradient; FloatingPointError naming the step if a gradient is not finite, with nothing changed.
    """

    def __init__(
        self,
        objective: Objective,
        rule: Updates,
        batch_size: int | None = None,
        replace: bool = True,
        sparse: bool = False,
    ) -> None:
        self.objective, self.rule, self.replace = objective, rule, replace
        self.batch_size = None if batch_size is None else whole(1, batch_size=batch_size)
        if self.batch_size is not None and not replace and self.batch_size > objective.n:
            raise ValueError(
                f"batch_size must be <= n = {objective.n} without replacement; got {batch_size}. "
                "Pass None to take every term."
            )
        if sparse and not hasattr(objective, "row_sparse_gradient"):
            raise TypeError(f"{type(objective).__name__} has no row_sparse_gradient. Pass sparse=False.")
        self.gradient = objective.row_sparse_gradient if sparse else objective.gradient  # type: ignore[attr-defined]

    def init(self, x: Any) -> SGDState:
        """The state at x before the first step."""
        return SGDState(x, self.rule.init(x))

    def step(self, rng: np.random.Generator, state: SGDState) -> tuple[SGDState, SGDInfo]:
        """One batch, one gradient, one update."""
        batch, order = self._draw(rng, state.order)
        g = finite_gradient(self.gradient, state.x, batch, state.rule.t + 1)
        x, rule = self.rule.step(state.x, g, state.rule)
        return SGDState(x, rule, order), SGDInfo(batch, g)

    def _draw(self, rng: np.random.Generator, order: Any) -> tuple[Any, Any]:
        n, b = self.objective.n, self.batch_size
        if b is None:
            return None, None
        if self.replace:
            return rng.integers(n, size=b), None
        if order is None or not len(order):
            order = rng.permutation(n)
        return order[:b], order[b:]


class DescentState(NamedTuple):
    """x (d,) : the point;  t : steps taken;  memory : what the step length remembers."""

    x: Any
    t: int
    memory: Any


class DescentInfo(NamedTuple):
    """What one step did and what it cost.

    alpha : the step length taken, 0 if none;  accepted : False if the search found none
    f : the searched f at the step's start, None if nothing asked for it;  g (d,) : the gradient;  batch (b,)
    f_evaluations, g_evaluations : of this step;  terms : terms of the mean that they touched
    """

    alpha: float
    accepted: bool
    f: float | None
    g: Any
    batch: Any
    f_evaluations: int
    g_evaluations: int
    terms: int


class gradient_descent:
    """Minimise an objective along its gradient, as far as a step length says.

        w <- w - alpha * g

    rate : float > 0, or a StepLength: Polyak, PolyakEstimate, PolyakBound, ExactLineSearch, Backtracking
    batch_size : None for the full gradient, which is what these are made for; an int >= 1 to see what they do
    with a batch, drawn with replacement
    search : "batch" evaluates f on the terms that the gradient came from, "full" on all of them
    init(x (d,)) -> DescentState;  step(rng, state) -> (DescentState, DescentInfo)
    Where the gradient is zero it stays, at no cost in f. A line search that finds nothing raises
    LineSearchError on the full gradient, where that is a mistake; on a batch, where it is to be expected, it
    stays and says so (accepted=False).
    Raises ValueError if an argument is out of range; FloatingPointError naming the step if f or g is not
    finite. Nothing is changed by a step that raises.
    """

    def __init__(
        self,
        objective: Objective,
        rate: float | StepLength,
        batch_size: int | None = None,
        search: str = "batch",
    ) -> None:
        self.objective = objective
        self.rate: StepLength = rate if hasattr(rate, "length") else Fixed(rate)  # type: ignore[assignment]
        self.batch_size = None if batch_size is None else whole(1, batch_size=batch_size)
        if search not in ("batch", "full"):
            raise ValueError(f'search must be "batch" or "full"; got {search!r}.')
        self.search = search

    def init(self, x: Any) -> DescentState:
        """The state at x before the first step."""
        return DescentState(x, 0, self.rate.init())

    def step(self, rng: np.random.Generator, state: DescentState) -> tuple[DescentState, DescentInfo]:
        """One gradient, one step length, one move."""
        x, t, memory = state
        batch = None if self.batch_size is None else rng.integers(self.objective.n, size=self.batch_size)
        g = finite_gradient(self.objective.gradient, x, batch, t + 1)
        ray = Ray(self.objective, x, g, batch, None if self.search == "full" else batch, t + 1)
        alpha, accepted = 0.0, True
        if ray.square > 0:
            try:
                alpha, memory = self.rate.length(ray, memory)
            except LineSearchError:
                if batch is None:
                    raise
                accepted = False
        info = DescentInfo(
            alpha, accepted, ray.known_f, g, batch, ray.f_evaluations, ray.g_evaluations, ray.terms
        )
        return DescentState(ray.point(alpha) if alpha else x, t + 1, memory), info
