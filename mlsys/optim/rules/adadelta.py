"""AdaDelta: RMSProp whose rate is the usual size of its own past steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as xp

from mlsys.core.checks import fraction, positive
from mlsys.core.rule import Rule


class AdaDeltaState(NamedTuple):
    """t : steps taken;  r (d,) : moving average of squared gradients;  s (d,) : of squared steps."""

    t: int
    r: Any
    s: Any


class AdaDeltaHyper(NamedTuple):
    """eta : a factor on the step, 1 in the paper;  rho : decay;  eps : added inside both roots."""

    eta: float
    rho: float
    eps: float


def body(w, g, r, s, eta, rho, one_minus_rho, eps):
    r = rho * r + one_minus_rho * g * g
    d = xp.sqrt(s + eps) / xp.sqrt(r + eps) * g
    s = rho * s + one_minus_rho * d * d
    w = w - eta * d
    return w, r, s


def coefficients(hyper: AdaDeltaHyper, t: int) -> tuple[float, ...]:
    return hyper.eta, hyper.rho, 1 - hyper.rho, hyper.eps


def rule(hyper: AdaDeltaHyper) -> Rule:
    """The Rule of hyper-parameters whose ranges the caller has checked."""
    return Rule("adadelta", body, AdaDeltaState, coefficients, hyper, fill=(0.0, 0.0))


def adadelta(eta: float = 1.0, rho: float = 0.9, eps: float = 1e-6) -> Rule:
    """Scale the gradient by the ratio of two moving root mean squares: of past steps and of gradients.

        r <- rho * r + (1 - rho) * g**2;  d = sqrt(s + eps) / sqrt(r + eps) * g
        s <- rho * s + (1 - rho) * d**2;  w <- w - eta * d

    eta : float > 0, without unit, 1 in the paper;  rho : float in [0, 1)
    eps : float > 0, inside both roots, where it starts the first step: about sqrt(eps / (1 - rho))
    init(w (d,)) -> state;  step(w (d,), g (d,), state) -> (w (d,), state)
    Raises ValueError if an argument is out of range, or if w and g differ in shape.
    Source: Zeiler (2012). Limit: has no rate to tune, and starts slowly for it.
    """
    hyper = AdaDeltaHyper(positive(eta=eta), fraction(rho=rho), positive(eps=eps))
    return rule(hyper)
