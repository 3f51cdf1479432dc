"""Random search: the points it tries, the budget it keeps, the edges it names."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mlsys.core import generator
from mlsys.optim.search import BudgetSpent, Counted, Range, draw, random_search

SPACE = {"rate": Range(1e-4, 1.0), "momentum": Range(0.5, 0.9, log=False)}


def bowl(at):
    return (math.log10(at["rate"]) + 2) ** 2 + (at["momentum"] - 0.7) ** 2


def test_points_are_log_uniform_or_uniform_and_independent():
    points = [draw(SPACE, rng) for rng in [generator(0)] for _ in range(4000)]
    rate = np.log10([p["rate"] for p in points])
    momentum = np.array([p["momentum"] for p in points])
    assert np.all((rate >= -4) & (rate <= 0) & (momentum >= 0.5) & (momentum <= 0.9))
    # Means of 4,000 uniform numbers: four standard errors, so that a right answer fails once in 8,000.
    assert abs(rate.mean() + 2) < 4 * 4 / math.sqrt(12 * 4000)
    assert abs(momentum.mean() - 0.7) < 4 * 0.4 / math.sqrt(12 * 4000)
    assert abs(np.corrcoef(rate, momentum)[0, 1]) < 4 / math.sqrt(4000)


def test_the_best_is_the_lowest_and_no_point_depends_on_a_score():
    found = random_search(bowl, SPACE, 30, generator(1))
    assert found.best.score == min(trial.score for trial in found.trials) < 0.1
    turned = random_search(lambda at: -bowl(at), SPACE, 30, generator(1))
    assert [trial.at for trial in turned.trials] == [trial.at for trial in found.trials]
    assert turned.best != found.best


def test_more_trials_go_on_where_fewer_stop():
    few, many = (random_search(bowl, SPACE, n, generator(2)) for n in (5, 12))
    assert many.trials[:5] == few.trials
    assert len(many.trials) == 12


@pytest.mark.parametrize(
    ("ends", "falling", "named"),
    [
        ("both", True, True),
        ("high", True, True),
        ("low", True, False),
        ("neither", True, False),
        ("both", False, True),
        ("high", False, False),
        ("low", False, True),
    ],
)
def test_a_best_at_an_end_that_counts_is_named(ends, falling, named):
    space = {"rate": Range(0.001, 1.0, ends=ends)}
    found = random_search(lambda at: -at["rate"] if falling else at["rate"], space, 200, generator(3))
    assert found.edges == (("rate",) if named else ())


def test_a_best_inside_is_not_named():
    assert random_search(bowl, SPACE, 50, generator(4)).edges == ()


def test_evaluations_are_counted_and_end():
    counted = Counted(bowl, budget=3)
    random_search(counted, SPACE, 3, generator(0))
    assert counted.spent == 3
    with pytest.raises(BudgetSpent, match="3 evaluations"):
        counted({"rate": 0.1, "momentum": 0.7})
    assert counted.spent == 3
    free = Counted(bowl)
    random_search(free, SPACE, 7, generator(0))
    assert free.spent == 7


@pytest.mark.parametrize("values", [(1.0, 0.1), (0.1, 0.1), (0.0, 1.0), (-1.0, 1.0), (float("nan"), 1.0)])
def test_a_range_that_is_none_is_refused(values):
    with pytest.raises(ValueError, match="low"):
        Range(*values)
    if values == (-1.0, 1.0):
        assert Range(*values, log=False).at(0.5) == 0.0


def test_other_bad_input_is_refused():
    with pytest.raises(ValueError, match="ends must be one of both, low, high, neither"):
        Range(0.1, 1.0, ends="all")
    with pytest.raises(ValueError, match="trials"):
        random_search(bowl, SPACE, 0, generator(0))
    with pytest.raises(ValueError, match="space must name"):
        random_search(bowl, {}, 3, generator(0))
    with pytest.raises(ValueError, match="score must be finite"):
        random_search(lambda at: math.inf, SPACE, 3, generator(0))
    with pytest.raises(ValueError, match="budget"):
        Counted(bowl, budget=-1)


def test_share_is_the_inverse_of_at():
    for values in SPACE.values():
        for share in (0.0, 0.3, 1.0):
            assert values.share(values.at(share)) == pytest.approx(share)
