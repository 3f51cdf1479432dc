"""AMSGrad: Adam whose root never shrinks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as xp

from mlsys.core.checks import positive
from mlsys.core.rule import Rule
from mlsys.optim.rules import adam


class AMSGradState(NamedTuple):
    """t : steps taken;  m, v (d,) : averages of g and g**2;  v_max (d,) : the largest v, or v / c2, so far."""

    t: int
    m: Any
    v: Any
    v_max: Any


def body(w, g, m, v, v_max, eta_t, beta1, one_minus_beta1, beta2, one_minus_beta2, eps_t):
    m = beta1 * m + one_minus_beta1 * g
    v = beta2 * v + one_minus_beta2 * g * g
    v_max = xp.maximum(v_max, v)
    w = w - eta_t * m / (xp.sqrt(v_max) + eps_t)
    return w, m, v, v_max


def corrected_body(w, g, m, v, v_max, eta_t, beta1, one_minus_beta1, beta2, one_minus_beta2, eps, over_c2):
    m = beta1 * m + one_minus_beta1 * g
    v = beta2 * v + one_minus_beta2 * g * g
    v_max = xp.maximum(v_max, over_c2 * v)
    w = w - eta_t * m / (xp.sqrt(v_max) + eps)
    return w, m, v, v_max


def uncorrected(hyper: adam.AdamHyper, t: int) -> tuple[float, ...]:
    eta, beta1, beta2, eps = hyper[:4]
    return eta, beta1, 1 - beta1, beta2, 1 - beta2, eps


def corrected(hyper: adam.AdamHyper, t: int) -> tuple[float, ...]:
    eta, beta1, beta2, eps = hyper[:4]
    return eta / (1 - beta1**t), beta1, 1 - beta1, beta2, 1 - beta2, eps, 1 / (1 - beta2**t)


_ORDERS: dict[str, tuple[Callable[..., tuple], Callable[..., tuple[float, ...]]]] = {
    "raw": (body, adam.coefficients),
    "corrected": (corrected_body, corrected),
    "none": (body, uncorrected),
}


def rule(hyper: adam.AdamHyper, order: str = "raw") -> Rule:
    """The Rule of hyper-parameters whose ranges the caller has checked."""
    chosen, coefficients = _ORDERS[order]
    return Rule("amsgrad", chosen, AMSGradState, coefficients, hyper, fill=(0.0, 0.0, 0.0))


def amsgrad(
    eta: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, order: str = "raw"
) -> Rule:
    """Adam that divides by the root of the largest average of squared gradients so far.

        m <- beta1 * m + (1 - beta1) * g;  v <- beta2 * v + (1 - beta2) * g**2
        c1 = 1 - beta1**t;  c2 = 1 - beta2**t
        order == "none": c1 = 1;  c2 = 1
        u = v;  k = c2
        order == "corrected": u = v / c2;  k = 1
        v_max <- max(v_max, u);  w <- w - eta * (m / c1) / (sqrt(v_max / k) + eps)

    eta : float > 0, in units of w;  beta1, beta2 : floats in [0, 1);  eps : float > 0, in units of g
    order : "raw", the maximum of v, then the correction (torch); "corrected", the maximum of v / c2 (optax);
    "none", no correction at all (the paper)
    init(w (d,)) -> state;  step(w (d,), g (d,), state) -> (w (d,), state)
    Raises ValueError if an argument is out of range, or if w and g differ in shape.
    Source: Reddi, Kale & Kumar (2018). Limit: one outlier keeps a coordinate slow for good.
    """
    if order not in _ORDERS:
        raise ValueError(f"order must be one of {', '.join(map(repr, _ORDERS))}; got {order!r}.")
    return rule(adam.AdamHyper(*adam.checked(eta, beta1, beta2), positive(eps=eps)), order)
