"""Logistic regression on tumours, where the claims about step lengths are tried, with its work counted."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from mlsys.core import iterate
from mlsys.data import load
from mlsys.experiments.runs import stream
from mlsys.models import Logistic
from mlsys.optim import Backtracking, gradient_descent
from mlsys.optim.descent import DescentInfo

BATCH = 8
SEARCH = Backtracking(start=10.0, c=1e-4)  # 10 is more than thirty times 1/L here


@cache
def tumours(seed: int) -> tuple[Logistic, np.ndarray]:
    """Logistic regression on three quarters of the breast-cancer set, drawn by the seed, and a random start."""
    train = load("breast_cancer").split(seed=seed).standardised().train
    objective = Logistic(train.X, train.y, l2=0.01)
    return objective, stream(seed, "start").standard_normal(objective.d)


def curve(seed: int, rate: Any, budget: int, unit: str, every: int = 1, **options: Any) -> np.ndarray:
    """(work done, gap to the minimum) after every so many steps until the budget is spent, (rows, 2).

    unit : "gradients", "evaluations" (of f or its gradient, alike) or "terms" (of the mean, touched by either)
    """
    objective, w = tumours(seed)
    algorithm = gradient_descent(objective, rate, **options)
    done, rows = 0, []
    for state, info in iterate(algorithm, w, stream(seed, "batches"), 10**9, progress=False):
        done += _work(info, unit)
        if state.t % every == 0 or done >= budget:
            rows.append((done, objective.value(state.x) - objective.f_star))
        if done >= budget:
            break
    return np.array(rows)


def _work(info: DescentInfo, unit: str) -> int:
    evaluations = {"gradients": 0, "evaluations": info.f_evaluations}
    return info.terms if unit == "terms" else evaluations[unit] + info.g_evaluations


def best(seed: int, rate: Any, budget: int, unit: str = "gradients") -> float:
    """The smallest gap within the budget: descent knows f, and may keep its best point."""
    return float(curve(seed, rate, budget, unit)[:, 1].min())


def final(seed: int, rate: Any, budget: int, **options: Any) -> float:
    """The gap where SGD stands when its budget of terms is spent: it does not know f, nor which point was best."""
    return float(curve(seed, rate, budget, "terms", every=10**9, batch_size=BATCH, **options)[-1, 1])


class Capped:
    """Another step length, but never longer than `cap`: Polyak's on batches, as "SPS max".

        alpha = min(cap, length of `rate`)

    rate : StepLength;  cap : float > 0, in units of w**2 / f
    Source: Loizou et al. (2021).
    """

    def __init__(self, rate: Any, cap: float) -> None:
        self.rate, self.cap = rate, cap

    def init(self) -> Any:
        """What the other remembers."""
        return self.rate.init()

    def length(self, ray: Any, memory: Any) -> tuple[float, Any]:
        """(alpha, memory)."""
        alpha, memory = self.rate.length(ray, memory)
        return min(alpha, self.cap), memory


def uphill(seed: int, distance: float, draws: int = 400) -> tuple[float, float]:
    """(gap, share of batches along whose direction the whole objective rises however short the step).

    distance : of the point from the minimum, on the way from the start, as a share of the start's
    """
    objective, start = tumours(seed)
    w = objective.w_star + distance * (start - objective.w_star)
    rng, full = stream(seed, "directions"), objective.gradient(w)
    batches = (rng.integers(objective.n, size=BATCH) for _ in range(draws))
    share = np.mean([full @ objective.gradient(w, batch) <= 0 for batch in batches])
    return objective.value(w) - objective.f_star, float(share)
