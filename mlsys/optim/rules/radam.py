"""RAdam: Adam that trusts its second moment no more than its variance allows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as xp

from mlsys.core.checks import positive
from mlsys.core.rule import Rule
from mlsys.optim.rules.adam import AdamState, checked
from mlsys.optim.schedules import rectification


class RAdamHyper(NamedTuple):
    """eta, beta1, beta2, eps as in AdamHyper;  threshold : rho_t up to which the second moment is left out."""

    eta: float
    beta1: float
    beta2: float
    eps: float
    threshold: float = 5.0


def body(w, g, m, v, eta_plain, eta_scaled, beta1, one_minus_beta1, beta2, one_minus_beta2, eps):
    m = beta1 * m + one_minus_beta1 * g
    v = beta2 * v + one_minus_beta2 * g * g
    w = w - (eta_plain + eta_scaled / (xp.sqrt(v) + eps)) * m
    return w, m, v


def coefficients(hyper: RAdamHyper, t: int) -> tuple[float, ...]:
    """One of the two rates is zero; eps is 1 where nothing is to be divided, so that eps = 0 divides by no zero."""
    eta, beta1, beta2, eps, threshold = hyper
    eta_t, r = eta / (1 - beta1**t), rectification(t, beta2, threshold)
    averages = (beta1, 1 - beta1, beta2, 1 - beta2)
    if r == 0:
        return eta_t, 0.0, *averages, 1.0
    return 0.0, eta_t * r * (1 - beta2**t) ** 0.5, *averages, eps


def rule(hyper: RAdamHyper) -> Rule:
    """The Rule of hyper-parameters whose ranges the caller has checked."""
    return Rule("radam", body, AdamState, coefficients, hyper, fill=(0.0, 0.0))


def radam(
    eta: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, threshold: float = 5.0
) -> Rule:
    """Momentum at first; Adam, at a rate evened out by r_t, once its second moment has seen enough gradients.

        m <- beta1 * m + (1 - beta1) * g;  v <- beta2 * v + (1 - beta2) * g**2
        c1 = 1 - beta1**t;  c2 = 1 - beta2**t;  r = rectification(t, beta2, threshold)
        w <- w - eta * (m / c1) * (r * sqrt(c2) / (sqrt(v) + eps) if r > 0 else 1)

    eta : float > 0, in units of w (of w**2 / f while r = 0);  beta1, beta2 : floats in [0, 1)
    eps : float > 0, in units of g, beside the root before its correction (torch)
    threshold : float >= 4: rho_t up to which r is 0; 5 in torch and optax, 4 in the paper
    init(w (d,)) -> state;  step(w (d,), g (d,), state) -> (w (d,), state)
    Raises ValueError if an argument is out of range, or if w and g differ in shape.
    Source: Liu et al. (2020); r is mlsys.optim.schedules.rectification.
    """
    threshold = positive(threshold=threshold)
    if threshold < 4:
        raise ValueError(f"threshold must be >= 4, below which r_t is not real; got {threshold}.")
    return rule(RAdamHyper(*checked(eta, beta1, beta2), positive(eps=eps), threshold))
