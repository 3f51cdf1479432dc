"""RMSProp: AdaGrad whose sum of squared gradients forgets."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as xp

from mlsys.core.checks import fraction, positive
from mlsys.core.rule import Rule


class RMSPropState(NamedTuple):
    """t : steps taken;  r (d,) : moving average of squared gradients."""

    t: int
    r: Any


class CenteredState(NamedTuple):
    """r (d,) : moving average of squared gradients;  a (d,) : of gradients."""

    t: int
    r: Any
    a: Any


class MomentumState(NamedTuple):
    """r (d,) : moving average of squared gradients;  u (d,) : momentum of the scaled gradients."""

    t: int
    r: Any
    u: Any


class CenteredMomentumState(NamedTuple):
    """r, u as in MomentumState;  a (d,) : moving average of gradients."""

    t: int
    r: Any
    u: Any
    a: Any


class RMSPropHyper(NamedTuple):
    """eta : rate;  rho : decay of the averages;  eps : added outside the root;  mu : momentum."""

    eta: float
    rho: float
    eps: float
    mu: float = 0.0


def body(w, g, r, eta, rho, one_minus_rho, eps):
    r = rho * r + one_minus_rho * g * g
    w = w - eta * g / (xp.sqrt(r) + eps)
    return w, r


def centered_body(w, g, r, a, eta, rho, one_minus_rho, eps):
    r = rho * r + one_minus_rho * g * g
    a = rho * a + one_minus_rho * g
    w = w - eta * g / (xp.sqrt(r - a * a) + eps)
    return w, r, a


def momentum_body(w, g, r, u, eta, rho, one_minus_rho, eps, mu):
    r = rho * r + one_minus_rho * g * g
    u = mu * u + g / (xp.sqrt(r) + eps)
    w = w - eta * u
    return w, r, u


def centered_momentum_body(w, g, r, u, a, eta, rho, one_minus_rho, eps, mu):
    r = rho * r + one_minus_rho * g * g
    a = rho * a + one_minus_rho * g
    u = mu * u + g / (xp.sqrt(r - a * a) + eps)
    w = w - eta * u
    return w, r, u, a


def coefficients(hyper: RMSPropHyper, t: int) -> tuple[float, ...]:
    return hyper.eta, hyper.rho, 1 - hyper.rho, hyper.eps


def momentum_coefficients(hyper: RMSPropHyper, t: int) -> tuple[float, ...]:
    return (*coefficients(hyper, t), hyper.mu)


def rule(hyper: RMSPropHyper, centered: bool = False) -> Rule:
    """The Rule of hyper-parameters whose ranges the caller has checked."""
    heavy = hyper.mu > 0
    chosen, state = _VARIANTS[bool(centered), heavy]
    name = "rmsprop" + "-centered" * bool(centered) + "-momentum" * heavy
    fill = (0.0,) * (len(state._fields) - 1)
    return Rule(name, chosen, state, momentum_coefficients if heavy else coefficients, hyper, fill)


def rmsprop(
    eta: float = 0.01, rho: float = 0.99, eps: float = 1e-8, mu: float = 0.0, centered: bool = False
) -> Rule:
    """Divide each coordinate's rate by the root of a moving average of its squared gradients.

        r <- rho * r + (1 - rho) * g**2;  d = g / (sqrt(r) + eps);  w <- w - eta * d
        centered: a <- rho * a + (1 - rho) * g;  d = g / (sqrt(r - a**2) + eps)
        mu > 0: u <- mu * u + d;  w <- w - eta * u

    eta : float > 0, in units of w;  rho, mu : floats in [0, 1)
    eps : float > 0, in units of g, outside the root
    init(w (d,)) -> state;  step(w (d,), g (d,), state) -> (w (d,), state)
    Raises ValueError if an argument is out of range, or if w and g differ in shape.
    Source: Tieleman & Hinton (2012). Limit: with r = 0 at first, the first step is eta / sqrt(1 - rho) per
    coordinate whatever the gradient (ten times eta at rho = 0.99).
    """
    hyper = RMSPropHyper(positive(eta=eta), fraction(rho=rho), positive(eps=eps), fraction(mu=mu))
    return rule(hyper, centered)


_VARIANTS: dict[tuple[bool, bool], tuple[Any, Any]] = {
    (False, False): (body, RMSPropState),
    (True, False): (centered_body, CenteredState),
    (False, True): (momentum_body, MomentumState),
    (True, True): (centered_momentum_body, CenteredMomentumState),
}
