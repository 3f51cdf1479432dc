"""The lecture's claims about step lengths along the gradient of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from mlsys.experiments.runs import FACTOR, SEEDS, SHARE, between, log_ratio, tuned
from mlsys.experiments.step_length import LECTURE
from mlsys.experiments.tumours import BATCH, SEARCH, Capped, final, tumours, uphill
from mlsys.optim import Backtracking, Fixed, PolyakEstimate
from mlsys.report import Claim, Result, measure

BUDGET = 20_000  # terms of the mean, touched by f or its gradient
CLOSE = 0.03  # of the way from the minimum to the start


def capped(cap: float) -> Capped:
    """Polyak's step on a batch, from the lower bound 0 of its loss, no longer than the cap."""
    return Capped(PolyakEstimate(0.0), cap)


def searched(start: float) -> Backtracking:
    """Backtracking whose longest step is `start`."""
    return Backtracking(start=start, c=SEARCH.c)


@cache
def best_rate(make: Callable[[float], Any], low: float, high: float, search: str = "batch") -> float:
    """The best rate, cap or longest step between low and high, all chosen alike, at this budget."""
    return tuned(lambda r, seed: final(seed, make(r), BUDGET, search=search), between(low, high))


def fixed_rate() -> float:
    """The best fixed rate."""
    return best_rate(Fixed, 0.03, 0.6)


def longest_step() -> float:
    """The best longest step of a search on the batch."""
    return best_rate(searched, 0.1, 1)


def longest_step_full() -> float:
    """The best longest step of a search on all data."""
    return best_rate(searched, 3, 100, "full")


def cap() -> float:
    """The best cap of Polyak's step."""
    return best_rate(capped, 0.05, 1)


def _claim(name: str, statement: str, source: str, what: str) -> Claim:
    effect = (
        f"log10 of the gap left by SGD with {what} over the gap left by SGD with the best fixed rate, "
        f"batches of {BATCH}, {BUDGET:,} terms of the sum evaluated"
    )
    return Claim(name, statement, source, effect, "positive", FACTOR)


def _against_fixed(claim: Claim, seeds: Sequence[int], made: Callable[[int], Any], search: str) -> Result:
    effects = [log_ratio(final(s, made(s), BUDGET, search=search), fixed_gap(s)) for s in seeds]
    return measure(claim, effects)


@cache
def fixed_gap(seed: int) -> float:
    """The gap left by the best fixed rate."""
    return final(seed, Fixed(fixed_rate()), BUDGET)


def line_search_work(seeds: Sequence[int] = SEEDS) -> Result:
    """SGD that searches the whole objective at each step, against SGD with a fixed rate, at equal work."""
    claim = _claim(
        "line-search-work",
        "Searching the whole objective along an SGD direction costs too much to pay.",
        LECTURE,
        "a line search on all data (its longest step tuned as well)",
    )
    search = searched(longest_step_full())
    return _against_fixed(claim, seeds, lambda _: search, "full")


def line_search_batch(seeds: Sequence[int] = SEEDS) -> Result:
    """SGD that searches the batch's own objective as gradient descent would, against a fixed rate, at equal work."""
    claim = _claim(
        "line-search-batch",
        "Searching the batch's own objective is no way out, used as for gradient descent.",
        f"{LECTURE} (follows from its argument)",
        f"a line search on its batch from {SEARCH.start:g}",
    )
    return _against_fixed(claim, seeds, lambda _: SEARCH, "batch")


def line_search_batch_tuned(seeds: Sequence[int] = SEEDS) -> Result:
    """The same with the longest step tuned as the fixed rate is."""
    claim = _claim(
        "line-search-batch-tuned",
        "Searching the batch's own objective is no way out, even with its longest step tuned.",
        "Our question",
        "a line search on its batch, its longest step tuned as the rate is,",
    )
    search = searched(longest_step())
    return _against_fixed(claim, seeds, lambda _: search, "batch")


def polyak_batch(seeds: Sequence[int] = SEEDS) -> Result:
    """Polyak's step with f* on batches, as it is, against a fixed rate."""
    claim = _claim(
        "polyak-batch",
        "Polyak's step is for the full gradient, not for batches.",
        LECTURE,
        "Polyak's step (f* of the whole objective known)",
    )
    return _against_fixed(claim, seeds, lambda s: PolyakEstimate(tumours(s)[0].f_star), "batch")


MANY = tuple(range(1, 41))  # ten seeds left the card below open, its whole interval above zero


def polyak_batch_capped(seeds: Sequence[int] = MANY) -> Result:
    """The same with a longest step, tuned as the fixed rate is, and 0 for the batch's own minimum."""
    claim = _claim(
        "polyak-batch-capped",
        "Polyak's step is not for batches, even with a tuned cap on its length.",
        "Our question, to Loizou et al. (2021)",
        "Polyak's step (0 as each batch's minimum), its cap tuned as the rate is,",
    )
    step = capped(cap())
    return _against_fixed(claim, seeds, lambda _: step, "batch")


def sgd_direction(seeds: Sequence[int] = SEEDS) -> Result:
    """How often an SGD direction leads uphill, close to the minimum."""
    claim = Claim(
        "sgd-direction",
        "The direction of an SGD step need not improve the objective at all.",
        LECTURE,
        f"share of batches of {BATCH} along which the objective rises at once, close to the minimum "
        f"({100 * CLOSE:g} % of the way from there to the start)",
        "positive",
        SHARE,
        bounds=(0.0, 1.0),
    )
    return measure(claim, [uphill(seed, CLOSE)[1] for seed in seeds])
