"""How a rate, and with one-cycle a momentum, changes with the step number t = 1, 2, …"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from mlsys.core.checks import fraction, positive, whole


@dataclass(frozen=True)
class Schedule:
    """factor(t) multiplies the rate at step t;  momentum(t), where there is one, is the momentum at step t."""

    name: str
    factor: Callable[[int], float]
    momentum: Callable[[int], float] | None = None


def constant() -> Schedule:
    """The same rate at every step: factor(t) = 1."""
    return Schedule("constant", lambda t: 1.0)


def step_decay(every: int, gamma: float = 0.1) -> Schedule:
    """factor(t) = gamma ** ((t - 1) // every): the rate falls at once, each `every` steps.

    every : int >= 1, in steps;  gamma : float in [0, 1). Raises ValueError if one is out of range.
    """
    every, gamma = whole(1, every=every), fraction(gamma=gamma)
    return Schedule("step", lambda t: gamma ** ((t - 1) // every))


def cosine(steps: int, final: float = 0.0) -> Schedule:
    """factor(t) = final + (1 - final) * (1 + cos(pi * (t - 1) / steps)) / 2, and `final` after `steps` steps.

    steps : int >= 1;  final : float in [0, 1). Raises ValueError if one is out of range.
    Source: Loshchilov & Hutter (2017), one period without restarts.
    """
    steps, final = whole(1, steps=steps), fraction(final=final)
    return Schedule("cosine", lambda t: _between(1.0, final, min(1.0, (t - 1) / steps)))


def linear_warmup(steps: int) -> Schedule:
    """factor(t) = min(1, t / steps).

    steps : int >= 1. Raises ValueError if it is less. For Adam, 2 / (1 - beta2) steps are the rule of thumb of
    Ma & Yarats (2021).
    """
    steps = whole(1, steps=steps)
    return Schedule("linear warm-up", lambda t: min(1.0, t / steps))


def exponential_warmup(steps: float) -> Schedule:
    """factor(t) = 1 - exp(-t / steps): at `steps` steps 63 % of the rate is reached.

    steps : float > 0. Raises ValueError if it is not. For Adam, 1 / (1 - beta2) steps: Ma & Yarats (2021).
    """
    steps = positive(steps=steps)
    return Schedule("exponential warm-up", lambda t: 1 - math.exp(-t / steps))


def rectification(t: int, beta2: float, threshold: float = 5.0) -> float:
    """RAdam's r_t, the factor that evens out the variance of Adam's rate; 0 where that variance is infinite.

    rho_inf = 2 / (1 - beta2) - 1;  rho_t = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    r_t**2 = (rho_t - 4) * (rho_t - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho_t) where rho_t > threshold
    Source: Liu et al. (2020), whose threshold is 4; torch and optax take 5.
    """
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    if rho <= max(threshold, 4.0):
        return 0.0
    return math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))


def radam_warmup(beta2: float = 0.999, threshold: float = 5.0) -> Schedule:
    """factor(t) = RAdam's r_t: the warm-up that it implies, for use with any rule.

    beta2 : float in [0, 1);  threshold : rho_t up to which the factor is 0. Raises ValueError if beta2 is out of range.
    """
    beta2 = fraction(beta2=beta2)
    return Schedule("radam warm-up", lambda t: rectification(t, beta2, threshold))


def one_cycle(
    steps: int,
    rising: float = 0.3,
    start: float = 1 / 25,
    final: float = 1 / 25e4,
    momentum: tuple[float, float] | None = (0.85, 0.95),
) -> Schedule:
    """One cosine up and one down: the rate is the peak's, eta, after a share `rising` of all steps.

    factor : start -> 1 over the first rising * steps steps, then 1 -> final at step `steps`
    momentum : (low, high), high where the rate is low and the other way round; None leaves it alone
    steps : int >= 2;  rising : float in (0, 1) with room for a step either side;  start, final : floats in [0, 1)
    The defaults are torch's, final being 1e-4 of start; fastai's are rising=0.25, final=1e-5.
    Raises ValueError if an argument is out of range. After `steps` the last factor stays.
    Source: Smith & Topin (2018).
    """
    steps, start, final = whole(2, steps=steps), fraction(start=start), fraction(final=final)
    top = (
        rising * steps - 1
    )  # torch's convention: counted from 0, the rate peaks here, on a step or between two
    if not 0 < top < steps - 1:
        raise ValueError(
            f"rising must leave steps on both sides of the peak; got {rising!r} of {steps} steps."
        )
    if momentum is not None:
        low, high = (fraction(momentum=m) for m in momentum)
        if low > high:
            raise ValueError(f"momentum must be (low, high); got {momentum!r}.")

    def along(t: int, first: float, peak: float, last: float) -> float:
        at = min(t, steps) - 1
        if at <= top:
            return _between(first, peak, at / top)
        return _between(peak, last, (at - top) / (steps - 1 - top))

    moving = None if momentum is None else lambda t: along(t, high, low, high)
    return Schedule("one-cycle", lambda t: along(t, start, 1.0, final), moving)


def product(*schedules: Schedule) -> Schedule:
    """Their factors multiplied, as a warm-up times a cosine; at most one of them may change the momentum.

    Raises ValueError if more than one does.
    """
    moving = [s.momentum for s in schedules if s.momentum]
    if len(moving) > 1:
        raise ValueError("at most one schedule may change the momentum. Pass momentum=None to the others.")
    name = " x ".join(s.name for s in schedules)
    return Schedule(name, lambda t: math.prod(s.factor(t) for s in schedules), moving[0] if moving else None)


def _between(first: float, last: float, share: float) -> float:
    """From first to last along half a cosine."""
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2
