"""AdaGrad: divide each coordinate's rate by the root of its past squared gradients."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as xp

from mlsys.core.checks import nonnegative, positive
from mlsys.core.rule import Rule


class AdaGradState(NamedTuple):
    """t : steps taken;  G (d,) : sum of squared gradients so far."""

    t: int
    G: Any


class AdaGradHyper(NamedTuple):
    """eta : rate;  eps : added outside the root;  eta_decay : eta / (1 + (t - 1) eta_decay)."""

    eta: float
    eps: float
    eta_decay: float = 0.0


def body(w, g, G, eta, eps):
    G = G + g * g
    w = w - eta * g / (xp.sqrt(G) + eps)
    return w, G


def coefficients(hyper: AdaGradHyper, t: int) -> tuple[float, ...]:
    return hyper.eta / (1 + (t - 1) * hyper.eta_decay), hyper.eps


def rule(hyper: AdaGradHyper, initial: float = 0.0) -> Rule:
    """The Rule of hyper-parameters whose ranges the caller has checked."""
    return Rule("adagrad", body, AdaGradState, coefficients, hyper, fill=(initial,), sparse=True)


def adagrad(eta: float = 0.01, eps: float = 1e-10, initial: float = 0.0, eta_decay: float = 0.0) -> Rule:
    """Divide each coordinate's rate by the root of its past squared gradients.

        G <- G + g**2;  w <- w - eta * g / (sqrt(G) + eps)
        eta_decay > 0: w <- w - eta / (1 + (t - 1) * eta_decay) * g / (sqrt(G) + eps)

    eta : float > 0, in units of w (SGD's is in units of w**2 / f)
    eps : float > 0, in units of g, added outside the root (torch's convention)
    initial : float >= 0, in units of g**2: the first G;  eta_decay : float >= 0 (torch's lr_decay)
    init(w (d,)) -> state;  step(w (d,), g (d,) or RowSparse, state) -> (w (d,), state)
    Raises ValueError if an argument is out of range, or if w and g differ in shape.
    Source: Duchi, Hazan & Singer (2011). Limit: the rate never grows back.
    """
    hyper = AdaGradHyper(positive(eta=eta), positive(eps=eps), nonnegative(eta_decay=eta_decay))
    return rule(hyper, nonnegative(initial=initial))
