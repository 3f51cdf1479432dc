"""Adam: RMSProp with momentum, both corrected for having started at zero."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as xp

from mlsys.core.checks import fraction, positive
from mlsys.core.rule import Rule


class AdamState(NamedTuple):
    """t : steps taken;  m (d,) : moving average of gradients;  v (d,) : of squared gradients."""

    t: int
    m: Any
    v: Any


class AMSGradState(NamedTuple):
    """m, v as in AdamState;  v_max (d,) : the largest v so far."""

    t: int
    m: Any
    v: Any
    v_max: Any


class AdamHyper(NamedTuple):
    """eta : rate;  beta1, beta2 : decays of m and v;  eps : added outside the root."""

    eta: float
    beta1: float
    beta2: float
    eps: float


def body(w, g, m, v, eta_t, beta1, one_minus_beta1, beta2, one_minus_beta2, eps_t):
    m = beta1 * m + one_minus_beta1 * g
    v = beta2 * v + one_minus_beta2 * g * g
    w = w - eta_t * m / (xp.sqrt(v) + eps_t)
    return w, m, v


def amsgrad_body(w, g, m, v, v_max, eta_t, beta1, one_minus_beta1, beta2, one_minus_beta2, eps_t):
    m = beta1 * m + one_minus_beta1 * g
    v = beta2 * v + one_minus_beta2 * g * g
    v_max = xp.maximum(v_max, v)
    w = w - eta_t * m / (xp.sqrt(v_max) + eps_t)
    return w, m, v, v_max


def coefficients(hyper: AdamHyper, t: int) -> tuple[float, ...]:
    """Both corrections ride on eta and eps: numbers, once a step, instead of two divisions an element.

    eta * (m / c1) / (sqrt(v / c2) + eps) = eta_t * m / (sqrt(v) + eps_t)  (Kingma & Ba, end of section 2)
    """
    eta, beta1, beta2, eps = hyper
    c1, root_c2 = 1 - beta1**t, (1 - beta2**t) ** 0.5
    return eta * root_c2 / c1, beta1, 1 - beta1, beta2, 1 - beta2, eps * root_c2


def rule(hyper: AdamHyper, amsgrad: bool = False) -> Rule:
    """The Rule of hyper-parameters whose ranges the caller has checked."""
    if amsgrad:
        return Rule("amsgrad", amsgrad_body, AMSGradState, coefficients, hyper, fill=(0.0, 0.0, 0.0))
    return Rule("adam", body, AdamState, coefficients, hyper, fill=(0.0, 0.0))


def adam(
    eta: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, amsgrad: bool = False
) -> Rule:
    """Move along the average gradient, divided by the root of the average squared gradient.

        m <- beta1 * m + (1 - beta1) * g;  v <- beta2 * v + (1 - beta2) * g**2
        c1 = 1 - beta1**t;  c2 = 1 - beta2**t;  w <- w - eta * (m / c1) / (sqrt(v / c2) + eps)
        amsgrad: v_max <- max(v_max, v);  w <- w - eta * (m / c1) / (sqrt(v_max / c2) + eps)

    eta : float > 0, in units of w;  beta1, beta2 : floats in [0, 1);  eps : float > 0, in units of g
    amsgrad : whether the root never shrinks; the largest v is taken before the correction, as torch does
    init(w (d,)) -> state;  step(w (d,), g (d,), state) -> (w (d,), state)
    Raises ValueError if an argument is out of range, or if w and g differ in shape.
    Source: Kingma & Ba (2015); Reddi, Kale & Kumar (2018) for amsgrad.
    Limit: can diverge where rare, large gradients are what matters (beta2 too small).
    """
    hyper = AdamHyper(positive(eta=eta), fraction(beta1=beta1), fraction(beta2=beta2), positive(eps=eps))
    return rule(hyper, amsgrad)
