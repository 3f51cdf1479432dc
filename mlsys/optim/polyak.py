"""Step lengths that need no search: a fixed rate, and Polyak's, which aims at the minimum's value."""

from __future__ import annotations

from typing import NamedTuple

from mlsys.core.checks import fraction, nonnegative, positive, real
from mlsys.optim.ray import Ray


class Fixed:
    """The same rate at every step.

        alpha = rate

    rate : float > 0, in units of w**2 / f. Raises ValueError if rate <= 0.
    """

    def __init__(self, rate: float) -> None:
        self.rate = positive(rate=rate)

    def init(self) -> None:
        """Nothing to remember."""

    def length(self, ray: Ray, memory: None) -> tuple[float, None]:
        """(rate, None), without asking for f."""
        return self.rate, memory


class Polyak:
    """The step at which the linear model of f at w reaches the known minimum f_star.

        alpha = (f - f_star) / |g|**2

    f_star : float, in units of f
    On convex f the distance to every minimiser never grows. A gap below zero by rounding counts as zero.
    Raises ValueError where f falls clearly below f_star, which then is not the minimum.
    Source: Polyak (1969). Limit: needs f_star, and the full gradient.
    """

    def __init__(self, f_star: float) -> None:
        self.f_star = real(f_star=f_star)

    def init(self) -> None:
        """Nothing to remember."""

    def length(self, ray: Ray, memory: None) -> tuple[float, None]:
        """(alpha, None)."""
        gap = ray.f - self.f_star
        if gap < -1e-6 * max(1.0, abs(self.f_star)):
            raise ValueError(
                f"f_star must be the minimum of f; got {self.f_star!r}, but f is {ray.f!r} at step {ray.t}. "
                "Pass the minimum, or PolyakEstimate(f_star) if it is only an estimate."
            )
        return max(0.0, gap) / ray.square, memory


class PolyakEstimate:
    """Polyak's step with an estimate of the minimum.

        alpha = max(0, f - estimate) / |g|**2

    estimate : float, in units of f
    Too high, it stops as soon as f reaches it; too low, the steps stay too long and f need not converge.
    Limit: never corrects the estimate: see PolyakLevel.
    """

    def __init__(self, estimate: float) -> None:
        self.estimate = real(estimate=estimate)

    def init(self) -> None:
        """Nothing to remember."""

    def length(self, ray: Ray, memory: None) -> tuple[float, None]:
        """(alpha, None)."""
        return max(0.0, ray.f - self.estimate) / ray.square, memory


class LevelMemory(NamedTuple):
    """best : smallest f so far;  delta : how far below it to aim;  level : the estimate last aimed at."""

    best: float
    delta: float
    level: float


class PolyakLevel:
    """Polyak's step with an estimate of the minimum that corrects itself: the best f so far, minus delta.

        delta <- grow * delta if f <= level else max(shrink * delta, floor)   (from the second step on)
        best <- min(best, f);  level <- best - delta;  alpha = (f - level) / |g|**2

    delta : float > 0, in units of f, the first aim below f;  grow : float >= 1;  shrink : float in (0, 1)
    floor : float >= 0, in units of f: on convex f the best value ends within it of the minimum
    Raises ValueError if an argument is out of range.
    Source: Nedic & Bertsekas (2001), the dynamic step-size rule. Limit: f may rise on the way, so keep the
    best point; with floor = 0 delta may shrink so fast that it stops short.
    """

    def __init__(
        self, delta: float = 1.0, grow: float = 1.0, shrink: float = 0.5, floor: float = 1e-8
    ) -> None:
        self.delta, self.grow = positive(delta=delta), positive(grow=grow)
        self.shrink, self.floor = fraction(shrink=positive(shrink=shrink)), nonnegative(floor=floor)
        if self.grow < 1:
            raise ValueError(f"grow must be >= 1; got {grow!r}. 1 keeps delta after a success.")

    def init(self) -> LevelMemory:
        """Nothing seen yet."""
        return LevelMemory(float("inf"), self.delta, -float("inf"))

    def length(self, ray: Ray, memory: LevelMemory) -> tuple[float, LevelMemory]:
        """(alpha, what is now known)."""
        best, delta, level = memory
        if best < float("inf"):
            delta = self.grow * delta if ray.f <= level else max(self.shrink * delta, self.floor)
        best = min(best, ray.f)
        level = best - delta
        return (ray.f - level) / ray.square, LevelMemory(best, delta, level)
