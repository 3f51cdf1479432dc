"""What may be added to any rule: weight decay, and a schedule."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

from mlsys.core.checks import nonnegative
from mlsys.core.rule import Rule
from mlsys.optim.schedules import Schedule

_MOMENTUM = ("beta1", "mu")  # what the rules call the share of the past that a momentum schedule changes


def decayed(rule: Rule, lam: float, decoupled: bool = False, follows: str = "rate") -> Rule:
    """The rule with weight decay: through the gradient (L2), or beside it (decoupled).

        L2: g <- g + lam * w, and then the rule's own step
        decoupled: w <- (1 - eta_t * lam) * w, and then the rule's own step
        decoupled, follows="schedule": w <- (1 - (eta_t / eta) * lam) * w

    lam : float >= 0, in units of f / w**2 through the gradient and of 1 / eta beside it, a number a step with
    follows="schedule"
    follows : "rate", as torch.optim.AdamW does, so that a change of eta changes the decay too; "schedule", as
    the paper has it, where the decay follows the schedule's multiplier alone
    Returns a Rule whose state is that of the rule. SGD is the one rule whose two forms are the same at one eta.
    Raises ValueError if lam is out of range or the rule has a decay already.
    Source: Loshchilov & Hutter (2019).
    """
    lam = nonnegative(lam=lam)
    if rule.decay:
        raise ValueError(f"rule must have no weight decay yet; got {rule.name}. Pass the sum of both as lam.")
    if follows not in ("rate", "schedule"):
        raise ValueError(f'follows must be "rate" or "schedule"; got {follows!r}.')
    eta = rule.hyper.eta

    def decay(hyper: Any) -> tuple[float, float, float]:
        if not decoupled:
            return 1.0, lam, 1.0
        return 1.0, 0.0, 1 - lam * (hyper.eta if follows == "rate" else hyper.eta / eta)

    return replace(rule, name=f"{rule.name}-{'decoupled' if decoupled else 'l2'}", decay=decay)


def scheduled(rule: Rule, schedule: Schedule) -> Rule:
    """The rule whose rate at step t is eta * schedule.factor(t), and its momentum what the schedule says, if it does.

    Returns a Rule whose state is that of the rule; its hyper.eta stays the rate that the factors multiply.
    Raises ValueError if the rule has a schedule already, or the schedule a momentum that the rule lacks.
    """
    if rule.schedule:
        raise ValueError(
            f"rule must have no schedule yet; got {rule.name}. Pass schedules.product(...) of both."
        )
    named = [name for name in _MOMENTUM if name in inspect.signature(rule.body).parameters]
    if schedule.momentum and not named:
        raise ValueError(
            f"{rule.name} has no momentum for {schedule.name} to change. Pass momentum=None to it."
        )

    products = [1.0]  # of NAdam's momenta, each with the beta1 of its own step

    def at(hyper: Any, t: int) -> Any:
        hyper = hyper._replace(eta=hyper.eta * schedule.factor(t))
        if not schedule.momentum:
            return hyper
        if "product" in hyper._fields:
            while len(products) <= t:
                i = len(products)
                earlier = hyper._replace(beta1=schedule.momentum(i))
                products.append(products[-1] * earlier.momentum(i))
            hyper = hyper._replace(product=products[t])
        return hyper._replace(**{named[0]: schedule.momentum(t)})

    return replace(rule, name=f"{rule.name}-{schedule.name}", schedule=at)
