"""Adam: RMSProp with momentum, both corrected for having started at zero."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as xp

from mlsys.core.checks import fraction, nonnegative, positive
from mlsys.core.rule import Rule
from mlsys.optim.rules.changes import decayed


class AdamState(NamedTuple):
    """t : steps taken;  m (d,) : moving average of gradients;  v (d,) : of squared gradients."""

    t: int
    m: Any
    v: Any


class AdamHyper(NamedTuple):
    """eta : rate;  beta1, beta2 : decays of m and v;  eps : added outside the root;  eps_root : inside it."""

    eta: float
    beta1: float
    beta2: float
    eps: float
    eps_root: float = 0.0


def checked(eta: float, beta1: float, beta2: float) -> tuple[float, float, float]:
    """The three that Adam and its kin share. Raises ValueError, naming the one that is out of range."""
    return positive(eta=eta), fraction(beta1=beta1), fraction(beta2=beta2)


def body(w, g, m, v, eta_t, beta1, one_minus_beta1, beta2, one_minus_beta2, eps_t):
    m = beta1 * m + one_minus_beta1 * g
    v = beta2 * v + one_minus_beta2 * g * g
    w = w - eta_t * m / (xp.sqrt(v) + eps_t)
    return w, m, v


def inside_body(w, g, m, v, eta_t, beta1, one_minus_beta1, beta2, one_minus_beta2, eps_t, eps_root_t):
    m = beta1 * m + one_minus_beta1 * g
    v = beta2 * v + one_minus_beta2 * g * g
    w = w - eta_t * m / (xp.sqrt(v + eps_root_t) + eps_t)
    return w, m, v


def coefficients(hyper: AdamHyper, t: int) -> tuple[float, ...]:
    """Both corrections ride on eta and eps: numbers, once a step, instead of two divisions an element.

    eta * (m / c1) / (sqrt(v / c2) + eps) = eta_t * m / (sqrt(v) + eps_t)  (Kingma & Ba, end of section 2)
    """
    eta, beta1, beta2, eps = hyper[:4]
    c1, root_c2 = 1 - beta1**t, (1 - beta2**t) ** 0.5
    return eta * root_c2 / c1, beta1, 1 - beta1, beta2, 1 - beta2, eps * root_c2


def inside_coefficients(hyper: AdamHyper, t: int) -> tuple[float, ...]:
    return *coefficients(hyper, t), hyper.eps_root * (1 - hyper.beta2**t)


def rule(hyper: AdamHyper) -> Rule:
    """The Rule of hyper-parameters whose ranges the caller has checked."""
    if hyper.eps_root:
        return Rule("adam", inside_body, AdamState, inside_coefficients, hyper, fill=(0.0, 0.0))
    return Rule("adam", body, AdamState, coefficients, hyper, fill=(0.0, 0.0))


def adam(
    eta: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, eps_root: float = 0.0
) -> Rule:
    """Move along the average gradient, divided by the root of the average squared gradient.

        m <- beta1 * m + (1 - beta1) * g;  v <- beta2 * v + (1 - beta2) * g**2
        c1 = 1 - beta1**t;  c2 = 1 - beta2**t
        w <- w - eta * (m / c1) / (sqrt(v / c2 + eps_root) + eps)

    eta : float > 0, in units of w;  beta1, beta2 : floats in [0, 1);  eps : float > 0, in units of g
    eps_root : float >= 0, in units of g**2: inside the root, where optax may have it and torch has none
    init(w (d,)) -> state;  step(w (d,), g (d,), state) -> (w (d,), state)
    Raises ValueError if an argument is out of range, or if w and g differ in shape.
    Source: Kingma & Ba (2015).
    Limit: can diverge where rare, large gradients are what matters (beta2 too small).
    """
    return rule(AdamHyper(*checked(eta, beta1, beta2), positive(eps=eps), nonnegative(eps_root=eps_root)))


def adamw(
    eta: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    lam: float = 1e-2,
    follows: str = "rate",
) -> Rule:
    """Adam with weight decay beside the gradient instead of through it.

        w <- (1 - (eta if follows == "rate" else 1) * lam) * w
        m <- beta1 * m + (1 - beta1) * g;  v <- beta2 * v + (1 - beta2) * g**2
        c1 = 1 - beta1**t;  c2 = 1 - beta2**t;  w <- w - eta * (m / c1) / (sqrt(v / c2) + eps)

    eta, beta1, beta2, eps : as in adam
    lam : float >= 0;  follows : "rate" (torch: the decay is eta_t * lam) or "schedule" (the paper: the decay is the
    schedule's factor times lam, so that eta can be tuned without it)
    init(w (d,)) -> state;  step(w (d,), g (d,), state) -> (w (d,), state)
    Raises ValueError if an argument is out of range, or if w and g differ in shape.
    Source: Loshchilov & Hutter (2019). For Adam with the decay in the gradient: decayed(adam(...), lam).
    """
    return replace(decayed(adam(eta, beta1, beta2, eps), lam, decoupled=True, follows=follows), name="adamw")
