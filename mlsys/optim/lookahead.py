"""Lookahead: slow weights that follow any rule's fast ones."""

from __future__ import annotations

from typing import Any, NamedTuple

from mlsys.core.checks import real, whole
from mlsys.core.rule import Rule
from mlsys.optim.rules.radam import radam


class LookaheadState(NamedTuple):
    """t : steps taken;  fast : the inner rule's state;  slow (d,) : the slow weights."""

    t: int
    fast: Any
    slow: Any


class lookahead:
    """Let a rule run k steps ahead, then go a share alpha of the way after it, and start again from there.

        each step: w, fast <- the rule's own step
        each k-th step: slow <- slow + alpha * (w - slow);  w <- slow

    rule : Rule;  k : int >= 1;  alpha : float in (0, 1]
    init(w (d,)) -> state;  step(w (d,), g (d,), state) -> (w (d,), state): the interface of a Rule
    Between those steps w is the fast weights; state.slow is what to judge the run by.
    Raises ValueError if an argument is out of range; what the rule raises.
    Source: Zhang, Lucas, Hinton & Ba (2019). The rule's state is kept when w starts again, as their code has it.
    """

    def __init__(self, rule: Rule, k: int = 5, alpha: float = 0.5) -> None:
        self.rule, self.k, self.alpha = rule, whole(1, k=k), real(alpha=alpha)
        if not 0 < self.alpha <= 1:
            raise ValueError(f"alpha must lie in (0, 1]; got {alpha!r}.")
        self.name = f"lookahead-{rule.name}"

    def init(self, w: Any) -> LookaheadState:
        """The state before the first step: slow and fast weights are one."""
        return LookaheadState(0, self.rule.init(w), w)

    def step(self, w: Any, g: Any, state: LookaheadState) -> tuple[Any, LookaheadState]:
        """One step of the rule, and each k-th time one of the slow weights."""
        w, fast = self.rule.step(w, g, state.fast)
        slow = state.slow
        if (state.t + 1) % self.k == 0:
            w = slow = slow + self.alpha * (w - slow)
        return w, LookaheadState(state.t + 1, fast, slow)


def ranger(
    eta: float = 1e-3,
    beta1: float = 0.95,
    beta2: float = 0.999,
    eps: float = 1e-5,
    k: int = 6,
    alpha: float = 0.5,
) -> lookahead:
    """RAdam inside Lookahead, with the defaults of its author.

    Raises ValueError if an argument is out of range. Source: Wright (2019).
    """
    return lookahead(radam(eta, beta1, beta2, eps), k, alpha)
