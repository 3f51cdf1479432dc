"""Step lengths that need no search: a fixed rate, and Polyak's, which aims at the minimum's value."""

from __future__ import annotations

from typing import NamedTuple

from mlsys.core.checks import positive, real, whole
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
    Limit: never corrects the estimate: see PolyakBound.
    """

    def __init__(self, estimate: float) -> None:
        self.estimate = real(estimate=estimate)

    def init(self) -> None:
        """Nothing to remember."""

    def length(self, ray: Ray, memory: None) -> tuple[float, None]:
        """(alpha, None)."""
        return max(0.0, ray.f - self.estimate) / ray.square, memory


class BoundMemory(NamedTuple):
    """best : smallest f so far;  estimate : of the minimum, now aimed at;  t : steps since it was last changed."""

    best: float
    estimate: float
    t: int


class PolyakBound:
    """Polyak's step, halved, with an estimate of the minimum that starts at a lower bound and closes in.

        estimate <- (best + estimate) / 2 every `epoch` steps;  estimate <- bound where f <= estimate refutes it
        alpha = (f - estimate) / (2 |g|**2)

    bound : float <= the minimum, in units of f: 0 for a loss that cannot be negative;  epoch : int >= 1
    While f is further above the minimum than the estimate is below it, half the step is between half of
    Polyak's and all of it; once it is not, the middle of best and estimate is still a lower bound.
    Raises ValueError if epoch < 1, or where f falls below bound, which then is none.
    Source: Hazan & Kakade (2019), adaptive Polyak; that a refuted estimate falls back to the bound is ours.
    Limit: f may rise on the way, so keep the best point; with an epoch too short for the condition number the
    estimate overshoots, and it must start again from the bound.
    """

    def __init__(self, bound: float, epoch: int = 20) -> None:
        self.bound, self.epoch = real(bound=bound), whole(1, epoch=epoch)

    def init(self) -> BoundMemory:
        """Nothing seen yet."""
        return BoundMemory(float("inf"), self.bound, 0)

    def length(self, ray: Ray, memory: BoundMemory) -> tuple[float, BoundMemory]:
        """(alpha, what is now known)."""
        best, estimate, t = min(memory.best, ray.f), memory.estimate, memory.t
        if ray.f < self.bound:
            raise ValueError(
                f"bound must be <= the minimum of f; got {self.bound!r}, but f is {ray.f!r} at step {ray.t}. "
                "Pass a smaller one, such as 0 for a loss that cannot be negative."
            )
        if t == self.epoch:
            estimate, t = (best + estimate) / 2, 0
        if best <= estimate:
            estimate, t = self.bound, 0
        return (ray.f - estimate) / (2 * ray.square), BoundMemory(best, estimate, t + 1)
