"""AdaGrad as it is first written down: over the stored history of gradients."""

from __future__ import annotations

from typing import Any, NamedTuple

from mlsys.core.checks import nonnegative, positive, same_kind
from mlsys.core.dispatch import namespace


class HistoryState(NamedTuple):
    """t : steps taken;  history : the t gradients seen, each (d,): memory grows by d at every step."""

    t: int
    history: tuple[Any, ...]


class adagrad_history:
    """Divide each coordinate's rate by the root of the sum of its squared gradients, summed afresh each step.

        w <- w - eta * g / (sqrt(sum over all gradients so far, this one included, of g**2) + eps)

    The same numbers as `adagrad`, which keeps the running sum instead: d numbers in place of t d.
    eta : float > 0, in units of w;  eps : float >= 0, in units of g, outside the root
    init(w (d,)) -> state;  step(w (d,), g (d,), state) -> (w (d,), state): the interface of a Rule
    Raises ValueError if an argument is out of range, or if w and g differ in shape.
    Source: Duchi, Hazan & Singer (2011). Limit: step t reads t gradients, so T steps cost T**2 d / 2.
    """

    name = "adagrad-history"

    def __init__(self, eta: float = 0.01, eps: float = 1e-10) -> None:
        self.eta, self.eps = positive(eta=eta), nonnegative(eps=eps)

    def init(self, w: Any) -> HistoryState:
        """The state before the first step: no gradient seen."""
        return HistoryState(0, ())

    def step(self, w: Any, g: Any, state: HistoryState) -> tuple[Any, HistoryState]:
        """One step; the gradient is copied into the history, so that a reused buffer does not change it."""
        same_kind(w=w, g=g)
        xp = namespace(g)
        history = (*state.history, g.copy() if xp.__name__ == "numpy" else g.clone())
        total = sum(past * past for past in history)
        return w - self.eta * g / (xp.sqrt(total) + self.eps), HistoryState(state.t + 1, history)
