"""The lecture's claims about step lengths along the full gradient: Polyak's, and the line search."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from mlsys.experiments.runs import FACTOR, SEEDS, between, log_ratio, tuned
from mlsys.experiments.tumours import SEARCH, best, tumours
from mlsys.optim import Fixed, Polyak, PolyakBound, PolyakEstimate
from mlsys.report import Claim, Result, measure

LECTURE = "Lecture on adaptive learning rates"
FIXED = between(0.3, 30)


@cache
def fixed_rate(budget: int) -> float:
    """The best fixed rate for so many full gradients."""
    return tuned(lambda r, seed: best(seed, Fixed(r), budget), FIXED)


def safe(seed: int) -> Fixed:
    """The rate 1 / L, which theory gives."""
    return Fixed(1 / tumours(seed)[0].L)


def polyak_tuned(seeds: Sequence[int] = SEEDS, budget: int = 50) -> Result:
    """Polyak's step with f* known against the best fixed rate."""
    claim = Claim(
        "polyak-tuned",
        "Polyak's step, told f*, does better than the best fixed rate.",
        f"{LECTURE} (follows from its argument)",
        f"log10 of the gap left by the best rate of a grid over the gap left by Polyak's step, {budget} gradients",
        "positive",
        FACTOR,
    )
    rate = Fixed(fixed_rate(budget))
    effects = [log_ratio(best(s, rate, budget), best(s, Polyak(tumours(s)[0].f_star), budget)) for s in seeds]
    return measure(claim, effects)


def polyak_estimate(seeds: Sequence[int] = SEEDS, budget: int = 100) -> Result:
    """The estimate 0, a lower bound of any such loss, corrected on the way, against the rate 1 / L."""
    claim = Claim(
        "polyak-estimate",
        "Polyak's step works with an estimate of f* as well: better than the rate 1/L.",
        LECTURE,
        f"log10 of the gap left by the rate 1/L over the gap left with an estimate that starts at 0 and "
        f"corrects itself, {budget} gradients",
        "positive",
        FACTOR,
    )
    effects = [log_ratio(best(s, safe(s), budget), best(s, PolyakBound(0.0), budget)) for s in seeds]
    return measure(claim, effects)


def polyak_estimate_tuned(seeds: Sequence[int] = SEEDS, budget: int = 100) -> Result:
    """The same against the best fixed rate, whose search is not counted."""
    claim = Claim(
        "polyak-estimate-tuned",
        "Polyak's step with an estimate of f* is better even than the best fixed rate.",
        f"{LECTURE} (our strict reading)",
        f"log10 of the gap left by the best rate of a grid over the gap left with that estimate, {budget} "
        "gradients",
        "positive",
        FACTOR,
    )
    rate = Fixed(fixed_rate(budget))
    effects = [log_ratio(best(s, rate, budget), best(s, PolyakBound(0.0), budget)) for s in seeds]
    return measure(claim, effects)


def _wrong(side: str, off: float, seeds: Sequence[int], budget: int) -> Result:
    claim = Claim(
        f"polyak-too-{side}",
        f"An estimate of f* that is 10 % too {side}, and stays so, does as well as f* itself.",
        f"{LECTURE} (our strict reading)",
        f"log10 of the gap left with the estimate over the gap left with f*, {budget} gradients",
        "none",
        FACTOR,
    )
    effects = []
    for seed in seeds:
        f_star = tumours(seed)[0].f_star
        known = best(seed, Polyak(f_star), budget)
        effects.append(log_ratio(best(seed, PolyakEstimate(f_star * off), budget), known))
    return measure(claim, effects)


def polyak_too_high(seeds: Sequence[int] = SEEDS, budget: int = 100) -> Result:
    """An estimate 10 % too high, never corrected, against f* itself."""
    return _wrong("high", 1.1, seeds, budget)


def polyak_too_low(seeds: Sequence[int] = SEEDS, budget: int = 100) -> Result:
    """An estimate 10 % too low, never corrected, against f* itself."""
    return _wrong("low", 0.9, seeds, budget)


def _counted(seed: int, rate: object, budget: int) -> float:
    return best(seed, rate, budget, "evaluations")


def line_search_descent(seeds: Sequence[int] = SEEDS, budget: int = 200) -> Result:
    """Backtracking against the rate 1 / L, which theory gives, at an equal number of evaluations."""
    claim = Claim(
        "line-search-descent",
        "A line search is good for gradient descent: better than the rate 1/L.",
        LECTURE,
        f"log10 of the gap left by the rate 1/L over the gap left by backtracking, {budget} evaluations of f "
        "or its gradient",
        "positive",
        FACTOR,
    )
    effects = [log_ratio(_counted(s, safe(s), budget), _counted(s, SEARCH, budget)) for s in seeds]
    return measure(claim, effects)


def line_search_tuned(seeds: Sequence[int] = SEEDS, budget: int = 200) -> Result:
    """Backtracking against the best fixed rate of a grid, whose search is not counted."""
    claim = Claim(
        "line-search-tuned",
        "A line search, its evaluations counted, is as good as the best fixed rate.",
        f"{LECTURE} (our strict reading)",
        f"log10 of the gap left by the best rate of a grid over the gap left by backtracking, {budget} "
        "evaluations of f or its gradient",
        "none",
        FACTOR,
    )
    rate = Fixed(fixed_rate(budget))
    return measure(claim, [log_ratio(_counted(s, rate, budget), _counted(s, SEARCH, budget)) for s in seeds])


def line_search_grid(seeds: Sequence[int] = SEEDS, budget: int = 200, tries: int = 6) -> Result:
    """Backtracking against a search for the fixed rate that is paid from the same budget."""
    claim = Claim(
        "line-search-grid",
        "A line search spares the search for a rate.",
        "Our reading of the two claims above",
        f"log10 of the gap left by the best of {tries} rates (1/L times 1, 2, 4, …) that share {budget} evaluations, "
        f"over the gap left by backtracking with all {budget}",
        "positive",
        FACTOR,
    )
    effects = []
    for seed in seeds:
        rates = (2**k / tumours(seed)[0].L for k in range(tries))
        found = min(_counted(seed, Fixed(rate), budget // tries) for rate in rates)
        effects.append(log_ratio(found, _counted(seed, SEARCH, budget)))
    return measure(claim, effects)
