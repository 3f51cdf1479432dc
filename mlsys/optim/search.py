"""Tuning with a budget: random search over ranges, every evaluation counted, and a best at the edge not trusted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mlsys.core.checks import real, whole

EDGE = 0.05  # of a range: so near to an end, a better value may lie beyond
ENDS = ("both", "low", "high", "neither")


@dataclass(frozen=True)
class Range:
    """The values that a hyper-parameter may take: log-uniform from low to high, or uniform with log=False.

    ends : which ends make a best value suspect: "both", "low", "high" or "neither". A rate has both; a weight decay
    has none below, where it is as good as absent.
    Raises ValueError unless low < high, low > 0 where log, and ends is one of the four.
    """

    low: float
    high: float
    log: bool = True
    ends: str = "both"

    def __post_init__(self) -> None:
        if not real(low=self.low) < real(high=self.high):
            raise ValueError(f"low must be < high; got {self.low!r} and {self.high!r}.")
        if self.log and self.low <= 0:
            raise ValueError(f"low must be > 0 for a logarithmic range; got {self.low!r}. Pass log=False.")
        if self.ends not in ENDS:
            raise ValueError(f"ends must be one of {', '.join(ENDS)}; got {self.ends!r}.")

    def at(self, share: float) -> float:
        """The value so far along: low at 0, high at 1."""
        if self.log:
            return float(math.exp(math.log(self.low) + share * math.log(self.high / self.low)))
        return float(self.low + share * (self.high - self.low))

    def share(self, value: float) -> float:
        """How far along a value lies: the inverse of `at`."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def suspect(self, value: float) -> bool:
        """Whether the value lies in the last twentieth before an end that counts."""
        share = self.share(value)
        near_low, near_high = share < EDGE, share > 1 - EDGE
        return (near_low and self.ends in ("both", "low")) or (near_high and self.ends in ("both", "high"))


Space = Mapping[str, Range]


class Trial(NamedTuple):
    """at : a value for each hyper-parameter;  score : what it earned, lower is better."""

    at: dict[str, float]
    score: float


class Found(NamedTuple):
    """best : the trial of lowest score, the first of equals;  trials : all, in order
    edges : the hyper-parameters whose best value lies at an end of its range, so that a better may lie beyond
    """

    best: Trial
    trials: tuple[Trial, ...]
    edges: tuple[str, ...]


def draw(space: Space, rng: np.random.Generator) -> dict[str, float]:
    """A value from every range, independently."""
    return {name: values.at(rng.random()) for name, values in space.items()}


def random_search(
    score: Callable[[dict[str, float]], float], space: Space, trials: int, rng: np.random.Generator
) -> Found:
    """Try so many random points, and keep the one of lowest score.

    score : values -> float, lower is better; a run that diverges must have a finite worst score
    rng : the same state gives the same points, whatever they score
    Raises ValueError if trials < 1, if the space is empty or if a score is not finite.
    Source: Bergstra & Bengio (2012): where few of the hyper-parameters matter, random points try more values of
    those than a grid of as many points.
    """
    trials = whole(1, trials=trials)
    if not space:
        raise ValueError("space must name a hyper-parameter at least; got none.")
    points = [draw(space, rng) for _ in range(trials)]
    done = tuple(Trial(at, real(score=score(at))) for at in points)
    best = min(done, key=lambda trial: trial.score)
    return Found(best, done, tuple(name for name in space if space[name].suspect(best.at[name])))


class BudgetSpent(RuntimeError):
    """More evaluations were asked for than there were."""


class Counted:
    """A function that counts how often it is asked, and answers no more than `budget` times.

    budget : int >= 0, None for no limit;  spent : the evaluations so far
    Raises BudgetSpent, a RuntimeError, when asked once too often.
    """

    def __init__(self, function: Callable[..., Any], budget: int | None = None) -> None:
        self.function, self.budget, self.spent = function, budget, 0
        if budget is not None:
            self.budget = whole(budget=budget)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.budget is not None and self.spent >= self.budget:
            raise BudgetSpent(f"the budget of {self.budget} evaluations is spent.")
        self.spent += 1
        return self.function(*args, **kwargs)
