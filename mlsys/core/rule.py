"""A Rule says how to use a gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from mlsys.core import decay as before
from mlsys.core.checks import same_kind
from mlsys.core.dispatch import lift, namespace
from mlsys.core.sparse import RowSparse


@dataclass(frozen=True)
class Rule:
    """An update rule in three parts, written once for NumPy, torch, Numba and Triton.

    body(w, g, *slots, *c) -> (w, *slots)
        The update itself: a module-level function, elementwise, on numbers or arrays alike, in the paper's
        letters. It uses + - * /, comparisons and xp.sqrt, xp.maximum, xp.where, xp.abs alone, `xp` being a
        global of its module; it has no branches, and no literals, which some engines would widen.
    State : NamedTuple (t, *slots)
        t counts the steps taken; each slot is an array of the shape of w.
    coefficients(hyper, t) -> c
        What changes with the step number t = 1, 2, … and what is computed from the hyper-parameters, such as
        1 - rho: a tuple of floats, in float64, once a step. The engines round it to the dtype of w.
    hyper : NamedTuple of the checked hyper-parameters
    fill : the initial value of each slot
    sparse : whether a row that has no gradient is left alone, so that row-sparse gradients may be used
    schedule(hyper, t) -> hyper : the hyper-parameters of step t, where they change
    decay(hyper) -> (sign, lam, keep) : of mlsys.core.decay, whose body then comes before this one
    """

    name: str
    body: Callable[..., tuple]
    State: type
    coefficients: Callable[[Any, int], tuple[float, ...]]
    hyper: Any
    fill: tuple[float, ...] = ()
    sparse: bool = False
    schedule: Callable[[Any, int], Any] | None = None
    decay: Callable[[Any], tuple[float, float, float]] | None = None

    def at(self, t: int) -> Any:
        """The hyper-parameters of step t = 1, 2, …"""
        return self.schedule(self.hyper, t) if self.schedule else self.hyper

    def init(self, w: Any) -> Any:
        """The state before the first step: t = 0 and every slot filled, in the dtype and place of w."""
        xp = namespace(w)
        return self.State(0, *(xp.full_like(w, value) for value in self.fill))

    def update(self, w: Any, g: Any, state: Any, c: tuple[float, ...]) -> tuple[Any, Any]:
        """The body applied to whole arrays by the library they belong to: the readable path."""
        w, *slots = lift(self.body, namespace(w))(w, g, *state[1:], *c)
        return w, self.State(state.t + 1, *slots)

    def step(self, w: Any, g: Any, state: Any) -> tuple[Any, Any]:
        """One step: (w, state) from a gradient g of the shape of w, or from its nonzero rows.

        Nothing is mutated. A NaN or infinite gradient passes through into w and the state, as in torch; sgd and
        gradient_descent refuse it and name the step. Raises TypeError or ValueError if w, g and the state differ
        in library, device, dtype or shape, and TypeError for a RowSparse gradient if the rule moves rows that
        have none.
        """
        hyper = self.at(state.t + 1)
        c = self.coefficients(hyper, state.t + 1)
        if isinstance(g, RowSparse):
            return self._sparse_step(w, g, state, c)
        same_kind(w=w, g=g, **dict(zip(state._fields[1:], state[1:], strict=True)))
        if self.decay:
            w, g = before.body(w, g, *self.decay(hyper))
        return self.update(w, g, state, c)

    def _sparse_step(self, w: Any, g: RowSparse, state: Any, c: tuple[float, ...]) -> tuple[Any, Any]:
        if not self.sparse or self.decay:
            raise TypeError(
                f"{self.name} moves every coordinate at every step, also those without a gradient, so a "
                "row-sparse gradient would change its meaning. Pass g.dense(), or use sgd or adagrad."
            )
        rows = g.check().rows
        if tuple(g.shape) != tuple(w.shape):
            raise ValueError(f"g and w must agree in shape; g has {tuple(g.shape)}, w has {tuple(w.shape)}.")
        same_kind(w=w, **dict(zip(state._fields[1:], state[1:], strict=True)))
        part = self.State(state.t, *(slot[rows] for slot in state[1:]))
        same_kind(w=w[rows], g=g.values)
        new_rows, new_part = self.update(w[rows], g.values, part, c)
        xp = namespace(w)
        whole = [xp.asarray(a).copy() if xp.__name__ == "numpy" else a.clone() for a in (w, *state[1:])]
        for array, values in zip(whole, (new_rows, *new_part[1:]), strict=True):
            array[rows] = values
        return whole[0], self.State(state.t + 1, *whole[1:])


class NoSlots(NamedTuple):
    """The state of a rule that remembers nothing but the step number."""

    t: int
