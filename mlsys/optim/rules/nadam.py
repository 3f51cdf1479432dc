"""NAdam: Adam with Nesterov's look-ahead in its momentum."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as xp

from mlsys.core.checks import nonnegative, positive
from mlsys.core.rule import Rule
from mlsys.optim.rules.adam import AdamState, checked


class NAdamHyper(NamedTuple):
    """eta, beta1, beta2, eps as in AdamHyper;  psi : how fast the momentum warms up.

    product : of the momenta of all steps up to this one; None where they follow from beta1 and psi
    """

    eta: float
    beta1: float
    beta2: float
    eps: float
    psi: float
    product: float | None = None

    def momentum(self, t: int) -> float:
        """mu_t = beta1 * (1 - 0.96**(psi * t) / 2): half of beta1 at first, beta1 in the end."""
        return self.beta1 * (1 - 0.5 * 0.96 ** (self.psi * t))


def body(w, g, m, v, eta_g, eta_m, beta1, one_minus_beta1, beta2, one_minus_beta2, eps_t):
    m = beta1 * m + one_minus_beta1 * g
    v = beta2 * v + one_minus_beta2 * g * g
    w = w - (eta_g * g + eta_m * m) / (xp.sqrt(v) + eps_t)
    return w, m, v


@functools.cache
def _products(beta1: float, psi: float) -> list[float]:
    return [1.0]


def product(hyper: NAdamHyper, t: int) -> float:
    """mu_1 * mu_2 * … * mu_t."""
    known = _products(hyper.beta1, hyper.psi)
    while len(known) <= t:
        known.append(known[-1] * hyper.momentum(len(known)))
    return known[t]


def coefficients(hyper: NAdamHyper, t: int) -> tuple[float, ...]:
    eta, beta1, beta2, eps = hyper[:4]
    mu, following = hyper.momentum(t), hyper.momentum(t + 1)
    so_far = product(hyper, t) if hyper.product is None else hyper.product
    root_c2 = (1 - beta2**t) ** 0.5
    eta_g = eta * root_c2 * (1 - mu) / (1 - so_far)
    eta_m = eta * root_c2 * following / (1 - so_far * following)
    return eta_g, eta_m, beta1, 1 - beta1, beta2, 1 - beta2, eps * root_c2


def constant_coefficients(hyper: NAdamHyper, t: int) -> tuple[float, ...]:
    eta, beta1, beta2, eps = hyper[:4]
    root_c2 = (1 - beta2**t) ** 0.5
    eta_g = eta * root_c2 * (1 - beta1) / (1 - beta1**t)
    eta_m = eta * root_c2 * beta1 / (1 - beta1 ** (t + 1))
    return eta_g, eta_m, beta1, 1 - beta1, beta2, 1 - beta2, eps * root_c2


def rule(hyper: NAdamHyper, constant: bool = False) -> Rule:
    """The Rule of hyper-parameters whose ranges the caller has checked."""
    chosen = constant_coefficients if constant else coefficients
    return Rule("nadam", body, AdamState, chosen, hyper, fill=(0.0, 0.0))


def nadam(
    eta: float = 2e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    psi: float = 4e-3,
    constant: bool = False,
) -> Rule:
    """Adam whose step already looks ahead along the next momentum.

        m <- beta1 * m + (1 - beta1) * g;  v <- beta2 * v + (1 - beta2) * g**2;  c2 = 1 - beta2**t
        mu = beta1 * (1 - 0.96**(psi * t) / 2);  mu_next = beta1 * (1 - 0.96**(psi * (t + 1)) / 2)
        p = prod([beta1 * (1 - 0.96**(psi * i) / 2) for i in range(1, t + 1)])
        constant: mu = beta1;  mu_next = beta1;  p = beta1**t
        d = (1 - mu) * g / (1 - p) + mu_next * m / (1 - p * mu_next)
        w <- w - eta * d / (sqrt(v / c2) + eps)

    eta : float > 0, in units of w;  beta1, beta2 : floats in [0, 1);  eps : float > 0, in units of g
    psi : float >= 0;  constant : a momentum that does not warm up, as optax has it (torch: False)
    init(w (d,)) -> state;  step(w (d,), g (d,), state) -> (w (d,), state)
    Raises ValueError if an argument is out of range, or if w and g differ in shape.
    Source: Dozat (2016).
    """
    return rule(NAdamHyper(*checked(eta, beta1, beta2), positive(eps=eps), nonnegative(psi=psi)), constant)
