"""The lecture's claims about step lengths: Polyak's, and the line search, with and without batches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from mlsys.core import iterate
from mlsys.data import load
from mlsys.experiments.runs import RATES, SEEDS, log_ratio, stream, tuned
from mlsys.models import Logistic
from mlsys.optim import Backtracking, Fixed, Polyak, PolyakBound, PolyakEstimate, gradient_descent
from mlsys.optim.descent import DescentInfo
from mlsys.report import Claim, Result, measure

LECTURE = "Lecture on adaptive learning rates"
BATCH = 8
SEARCH = Backtracking(start=10.0)


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
    return float(curve(seed, rate, budget, "terms", every=10**9, **options)[-1, 1])


def polyak_estimate(seeds: Sequence[int] = SEEDS, budget: int = 200) -> Result:
    """The estimate 0, a lower bound of any such loss, corrected on the way, against the rate 1 / L."""
    claim = Claim(
        "polyak-estimate",
        "Polyak's step works with an estimate of f* as well.",
        LECTURE,
        f"log10 of the gap left by the rate 1/L over the gap left with an estimate that starts at 0 and "
        f"corrects itself, {budget} gradients",
        "positive",
        0.1,
    )
    effects = [
        log_ratio(
            best(seed, Fixed(1 / tumours(seed)[0].L), budget),
            best(seed, PolyakBound(0.0), budget),
        )
        for seed in seeds
    ]
    return measure(claim, effects)


def polyak_wrong_estimate(seeds: Sequence[int] = SEEDS, budget: int = 200) -> Result:
    """An estimate 10 % too high or too low, never corrected, against f* itself."""
    claim = Claim(
        "polyak-wrong-estimate",
        "The same, read strictly: an estimate of f* that is 10 % off, and stays so, does as well as f* itself.",
        f"{LECTURE} (our strict reading)",
        f"log10 of the gap left with the estimate (the worse of both sides) over the gap left with f*, "
        f"{budget} gradients",
        "none",
        0.5,
    )
    effects = []
    for seed in seeds:
        f_star = tumours(seed)[0].f_star
        wrong = [best(seed, PolyakEstimate(f_star * off), budget) for off in (0.9, 1.1)]
        effects.append(log_ratio(max(wrong), best(seed, Polyak(f_star), budget)))
    return measure(claim, effects)


def line_search_descent(seeds: Sequence[int] = SEEDS, budget: int = 300) -> Result:
    """Backtracking against the rate 1 / L, which theory gives, at an equal number of evaluations."""
    claim = Claim(
        "line-search-descent",
        "A line search is good for gradient descent.",
        LECTURE,
        f"log10 of the gap left by the rate 1/L over the gap left by backtracking, {budget} evaluations of f "
        "or its gradient",
        "positive",
        0.1,
    )
    effects = [
        log_ratio(_counted(seed, Fixed(1 / tumours(seed)[0].L), budget), _counted(seed, SEARCH, budget))
        for seed in seeds
    ]
    return measure(claim, effects)


def line_search_tuned(seeds: Sequence[int] = SEEDS, budget: int = 300) -> Result:
    """Backtracking against the best fixed rate of a grid, whose search is not counted."""
    claim = Claim(
        "line-search-tuned",
        "The same, read strictly: a line search, its evaluations counted, does as well as the best fixed rate.",
        f"{LECTURE} (our strict reading)",
        f"log10 of the gap left by the best rate of a grid over the gap left by backtracking, {budget} "
        "evaluations of f or its gradient",
        "none",
        0.5,
    )
    rate = tuned(lambda r, seed: _counted(seed, Fixed(r), budget))
    return measure(
        claim,
        [log_ratio(_counted(seed, Fixed(rate), budget), _counted(seed, SEARCH, budget)) for seed in seeds],
    )


def _counted(seed: int, rate: Any, budget: int) -> float:
    return best(seed, rate, budget, "evaluations")


@cache
def fixed_rate_for_batches(budget: int) -> float:
    """The best fixed rate for batches, found on the tuning seed."""
    return tuned(lambda r, seed: final(seed, Fixed(r), budget, batch_size=BATCH), RATES[2:7])


def line_search_work(seeds: Sequence[int] = SEEDS, budget: int = 20_000) -> Result:
    """SGD that searches the whole objective at each step, against SGD with a fixed rate, at equal work."""
    claim = Claim(
        "line-search-work",
        "Searching the whole objective along an SGD direction costs too much to pay.",
        LECTURE,
        f"log10 of the gap left by SGD with a full line search over the gap left by SGD with a fixed rate, "
        f"batches of {BATCH}, {budget} terms of the sum evaluated",
        "positive",
        0.1,
    )
    return measure(claim, _against_fixed(seeds, budget, "full"))


def line_search_batch(seeds: Sequence[int] = SEEDS, budget: int = 20_000) -> Result:
    """SGD that searches the batch's own objective, against SGD with a fixed rate, at equal work."""
    claim = Claim(
        "line-search-batch",
        "Searching the batch's own objective is no way out.",
        f"{LECTURE} (follows from its argument)",
        f"log10 of the gap left by SGD with a line search on its batch over the gap left by SGD with a fixed "
        f"rate, batches of {BATCH}, {budget} terms of the sum evaluated",
        "positive",
        0.1,
    )
    return measure(claim, _against_fixed(seeds, budget, "batch"))


def _against_fixed(seeds: Sequence[int], budget: int, search: str) -> list[float]:
    fixed = Fixed(fixed_rate_for_batches(budget))
    return [
        log_ratio(
            final(seed, SEARCH, budget, batch_size=BATCH, search=search),
            final(seed, fixed, budget, batch_size=BATCH),
        )
        for seed in seeds
    ]


def uphill(seed: int, near: bool, draws: int = 400) -> float:
    """The share of batches along whose direction the whole objective rises however short the step."""
    objective, w = tumours(seed)
    rng, w = stream(seed, "directions"), objective.w_star + 0.01 * w if near else w
    full = objective.gradient(w)
    batches = (rng.integers(objective.n, size=BATCH) for _ in range(draws))
    return float(np.mean([full @ objective.gradient(w, batch) <= 0 for batch in batches]))


def sgd_direction(seeds: Sequence[int] = SEEDS) -> Result:
    """How often an SGD direction leads uphill, close to the minimum."""
    claim = Claim(
        "sgd-direction",
        "The direction of an SGD step need not improve the objective at all.",
        LECTURE,
        f"share of batches of {BATCH} along which the objective rises at once, close to the minimum",
        "positive",
        0.01,
    )
    return measure(claim, [uphill(seed, near=True) for seed in seeds])
