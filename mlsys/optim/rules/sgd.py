"""Plain gradient descent, heavy-ball momentum and Nesterov's look-ahead: the rules that adapt nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

from mlsys.core.checks import fraction, positive
from mlsys.core.rule import NoSlots, Rule


class MomentumState(NamedTuple):
    """t : steps taken;  u (d,) : the moving sum of gradients (the "buffer")."""

    t: int
    u: Any


class SGDHyper(NamedTuple):
    """eta : rate;  mu : share of the buffer kept;  dampening : share of each later gradient left out."""

    eta: float
    mu: float = 0.0
    dampening: float = 0.0


def body(w, g, eta):
    w = w - eta * g
    return (w,)


def momentum_body(w, g, u, eta, mu, keep):
    u = mu * u + keep * g
    w = w - eta * u
    return w, u


def nesterov_body(w, g, u, eta, mu, keep):
    u = mu * u + keep * g
    w = w - eta * (g + mu * u)
    return w, u


def coefficients(hyper: SGDHyper, t: int) -> tuple[float, ...]:
    return (hyper.eta,)


def momentum_coefficients(hyper: SGDHyper, t: int) -> tuple[float, ...]:
    # The first buffer is the first gradient itself, dampening or not: torch's convention.
    return hyper.eta, hyper.mu, 1.0 if t == 1 else 1 - hyper.dampening


def rule(hyper: SGDHyper) -> Rule:
    """The Rule without momentum of a rate whose range the caller has checked."""
    return Rule("sgd", body, NoSlots, coefficients, hyper, sparse=True)


def momentum_rule(hyper: SGDHyper, nesterov: bool = False) -> Rule:
    """The Rule with momentum of hyper-parameters whose ranges the caller has checked."""
    name, chosen = ("nesterov", nesterov_body) if nesterov else ("momentum", momentum_body)
    return Rule(name, chosen, MomentumState, momentum_coefficients, hyper, fill=(0.0,))


def gradient_rule(eta: float = 0.01) -> Rule:
    """Move against the gradient at a fixed rate.

        w <- w - eta * g

    eta : float > 0, in units of w**2 / f
    init(w (d,)) -> state;  step(w (d,), g (d,) or RowSparse, state) -> (w (d,), state)
    Raises ValueError if eta <= 0, or if w and g differ in shape.
    Source: Cauchy (1847); Robbins & Monro (1951). Limit: one rate for all coordinates.
    """
    return rule(SGDHyper(positive(eta=eta)))


def momentum(eta: float = 0.01, mu: float = 0.9, dampening: float = 0.0, nesterov: bool = False) -> Rule:
    """Move along a decaying sum of the gradients so far.

        u <- mu * u + (1 - dampening) * g;  w <- w - eta * u
        t == 1: u <- g
        nesterov: w <- w - eta * (g + mu * u)

    eta : float > 0, in units of w**2 / f, outside the buffer (torch's convention)
    mu : float in [0, 1);  dampening : float in [0, 1), 0 with nesterov
    init(w (d,)) -> state;  step(w (d,), g (d,), state) -> (w (d,), state)
    Raises ValueError if an argument is out of range, or if w and g differ in shape.
    Source: Polyak (1964); Nesterov (1983) in the form of Sutskever et al. (2013).
    Limit: a steady gradient ends up moving at eta / (1 - mu), so retune eta with mu.
    """
    hyper = SGDHyper(positive(eta=eta), fraction(mu=mu), fraction(dampening=dampening))
    if nesterov and hyper.dampening:
        raise ValueError(f"dampening must be 0 with nesterov=True; got {dampening!r}.")
    return momentum_rule(hyper, nesterov)
