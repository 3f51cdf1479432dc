"""The claims of the book: every one in the table, reproducible, and measured as its card says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mlsys.core import Rule
from mlsys.experiments import adaptive_rates, runs, step_length
from mlsys.experiments.cost import cost
from mlsys.optim import Backtracking, Fixed, adadelta, adagrad, adam, gradient_rule, momentum, rmsprop

FEW = (1, 2, 3)
QUICK = (
    "polyak-estimate",
    "polyak-wrong-estimate",
    "line-search-descent",
    "sgd-direction",
    "rmsprop-first-step",
)


@pytest.mark.parametrize("name", QUICK)
def test_claim_on_few_seeds_is_what_the_book_says(name):
    expected = {"polyak-wrong-estimate": "contradicted", "rmsprop-first-step": "contradicted"}
    result = adaptive_rates.CLAIMS[name](seeds=FEW)
    assert result.claim.name == name
    assert result.verdict == expected.get(name, "holds")
    assert result.effects == adaptive_rates.CLAIMS[name](seeds=FEW).effects


def test_every_claim_has_its_own_name_and_at_least_five_seeds():
    functions = list(adaptive_rates.CLAIMS.values())
    assert len({*functions}) == len(functions) >= 6
    assert len(runs.SEEDS) >= 5
    assert not {*runs.SEEDS} & {*runs.TUNING_SEEDS}


@pytest.mark.parametrize("make", [gradient_rule, adagrad])
def test_sparse_text_learns_something(make):
    assert adaptive_rates.words(make, 0.1, seed=1, steps=300) < math.log(2)


def test_a_short_memory_crosses_the_plateau_and_adagrad_does_not():
    assert adaptive_rates.cliff(adaptive_rates.forgetful, 0.1, seed=1) < 0.1
    assert adaptive_rates.cliff(adagrad, 0.1, seed=1) > 1.9


def test_scales_that_differ_are_what_adagrad_mends():
    slow = min(adaptive_rates.regression(gradient_rule, rate, 1, ratio=100.0) for rate in (0.1, 0.3, 1.0))
    fast = min(adaptive_rates.regression(adagrad, rate, 1, ratio=100.0) for rate in (1.0, 3.0, 10.0))
    assert fast < slow / 5


def test_falling_rate_is_one_over_root_t():
    decay, memory, lengths = adaptive_rates.RootDecay(0.6), 0, []
    for _ in range(4):
        alpha, memory = decay.length(None, memory)
        lengths.append(alpha)
    np.testing.assert_allclose(lengths, 0.6 / np.sqrt([1, 2, 3, 4]))


def test_work_is_counted_in_the_unit_asked_for():
    evaluations = step_length.curve(1, Backtracking(), 50, "evaluations")
    gradients = step_length.curve(1, Fixed(0.1), 50, "gradients")
    terms = step_length.curve(1, Fixed(0.1), 80, "terms", batch_size=step_length.BATCH)
    assert len(evaluations) <= 25 <= 50 <= evaluations[-1, 0]
    assert len(gradients) == 50
    assert len(terms) == 10


def test_a_diverged_run_gets_the_worst_outcome():
    assert adaptive_rates.regression(gradient_rule, 100.0, seed=1) == 1e6
    assert runs.outcome(lambda w: math.inf, None) == 1e6


def test_tuning_refuses_the_end_of_the_grid():
    assert runs.tuned(lambda rate, seed: (rate - 0.1) ** 2) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="reach beyond"):
        runs.tuned(lambda rate, seed: rate)


@pytest.mark.parametrize(
    ("rule", "state_bytes", "moved_bytes", "operations"),
    [
        (gradient_rule(), 0, 12, 2),
        (momentum(), 4, 20, 5),
        (adagrad(), 4, 20, 7),
        (rmsprop(), 4, 20, 9),
        (adadelta(), 8, 28, 16),
        (adam(), 8, 28, 14),
        (adam(amsgrad=True), 12, 36, 15),
    ],
    ids=lambda value: value.name if isinstance(value, Rule) else None,
)
def test_cost_is_counted_from_the_rule(rule, state_bytes, moved_bytes, operations):
    counted = cost(rule)
    assert counted == (state_bytes, moved_bytes, operations)
    assert cost(rule, itemsize=8).moved_bytes == 2 * moved_bytes
    assert counted.intensity == operations / moved_bytes
