"""The claims of the book: every one in the table, reproducible, and measured as its card says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mlsys.core import Rule, generator
from mlsys.experiments import adaptive_rates, batches, classifiers, equal_scales, runs, step_length, tumours
from mlsys.experiments.cost import cost
from mlsys.models import Logistic
from mlsys.optim import (
    Backtracking,
    Fixed,
    PolyakEstimate,
    Ray,
    adadelta,
    adagrad,
    adam,
    amsgrad,
    gradient_rule,
    momentum,
    rmsprop,
)
from mlsys.report import record

FEW = (1, 2, 3)
QUICK = {
    "polyak-tuned": "holds",
    "polyak-estimate": "holds",
    "polyak-too-high": "contradicted",
    "polyak-too-low": "contradicted",
    "line-search-descent": "holds",
    "line-search-grid": "holds",
    "sgd-direction": "holds",
}


@pytest.mark.parametrize("name", QUICK)
def test_claim_on_few_seeds_is_what_the_book_says(name):
    result = adaptive_rates.CLAIMS[name](seeds=FEW)
    assert result.claim.name == name
    assert result.verdict == QUICK[name]
    assert result.effects == adaptive_rates.CLAIMS[name](seeds=FEW).effects


def test_every_claim_has_its_own_name_and_ten_seeds():
    functions = list(adaptive_rates.CLAIMS.values())
    assert len({*functions}) == len(functions) >= 20
    assert len(runs.SEEDS) == 10
    assert not {*runs.SEEDS, *equal_scales.MANY, *batches.MANY} & {*runs.TUNING_SEEDS}


def test_grid_has_four_rates_a_decade():
    np.testing.assert_allclose(np.diff(np.log10(runs.RATES)), 0.25)
    np.testing.assert_allclose(runs.between(0.1, 1), [0.1, 0.178, 0.316, 0.562, 1.0], rtol=1e-2)


@pytest.mark.parametrize("kind", classifiers.GRIDS)
def test_record_of_classifiers_is_what_the_code_computes(kind, monkeypatch):
    kept = record.load("classifiers")["result"]
    monkeypatch.setattr(classifiers, "GRIDS", {kind: classifiers.GRIDS[kind]})
    rates = {kind: {method: found["rate"] for method, found in kept[kind].items()}}
    again = classifiers.measured(seeds=(1,), rates=rates)
    for method, found in kept[kind].items():
        assert len(found["runs"]) == len(runs.SEEDS)
        np.testing.assert_allclose(again[kind][method]["runs"][0], found["runs"][0], rtol=1e-3, atol=3e-3)


def test_record_of_equal_scales_is_what_the_code_computes():
    kept = record.load("equal_scales")["result"]
    assert list(kept) == list(equal_scales.METHODS)
    for method, found in kept.items():
        assert len(found["gaps"]) == len(equal_scales.MANY)
        again = equal_scales.gaps(method, found["rate"], equal_scales.MANY[:2])
        np.testing.assert_allclose(again, found["gaps"][:2], rtol=1e-6)


def test_dense_twin_is_as_hard_to_guess_as_it_says():
    train, held_out = classifiers.dense_twin(1)
    assert (train.n, held_out.n, train.d) == (3000, 1000, classifiers.LENGTH)
    assert abs(train.y.mean() - 0.5) < 0.05


def test_capped_step_is_the_shorter_of_two():
    objective = Logistic(generator(0).normal(size=(20, 3)), np.arange(20) % 2)
    ray = Ray(objective, np.ones(3), objective.gradient(np.ones(3)))
    step = PolyakEstimate(0.0)
    length, _ = step.length(ray, step.init())
    for cap in (0.5 * length, 2 * length):
        capped = tumours.Capped(step, cap)
        assert capped.length(ray, capped.init())[0] == min(cap, length)


def test_uphill_share_grows_towards_the_minimum():
    gaps, shares = zip(*(tumours.uphill(1, distance) for distance in (1.0, 0.1, 0.001)), strict=True)
    assert gaps[0] > gaps[1] > gaps[2] > 0
    assert shares[0] < shares[1] < shares[2] < 0.6
    assert tumours.uphill(1, batches.CLOSE) == tumours.uphill(1, batches.CLOSE)


@pytest.mark.parametrize("make", [gradient_rule, adagrad])
def test_sparse_text_learns_something(make):
    assert classifiers.nats("sparse, 1 pass", make, 0.1, seed=1) < math.log(2)


def test_a_short_memory_crosses_the_plateau_and_adagrad_does_not():
    assert adaptive_rates.cliff(adaptive_rates.forgetful, 0.1, seed=1) < 0.1
    assert adaptive_rates.cliff(adagrad, 0.1, seed=1) > 1.9


def test_scales_that_differ_are_what_adagrad_mends():
    slow = min(equal_scales.regression(gradient_rule, rate, 1, ratio=100.0) for rate in (0.1, 0.3, 1.0))
    fast = min(equal_scales.regression(adagrad, rate, 1, ratio=100.0) for rate in (1.0, 3.0, 10.0))
    assert fast < slow / 5


def test_standardised_features_make_the_scales_equal():
    unequal = equal_scales.regression(gradient_rule, 0.01, 1, ratio=100.0)
    mended = equal_scales.regression(gradient_rule, 0.01, 1, ratio=100.0, standardise=True)
    equal = equal_scales.regression(gradient_rule, 0.01, 1)
    assert mended < 2 * equal < unequal / 10


def test_wrong_estimates_stop_where_theory_says():
    f_star = tumours.tumours(1)[0].f_star
    high = tumours.best(1, PolyakEstimate(1.1 * f_star), 200)
    low = tumours.best(1, PolyakEstimate(0.9 * f_star), 200)
    assert high == pytest.approx(0.1 * f_star, rel=1e-3)
    assert low < 0.1 * f_star


def test_every_rate_was_chosen_inside_its_grid():
    with pytest.raises(ValueError, match="reach beyond"):
        batches.best_rate(Fixed, 0.01, 0.03)
    assert step_length.FIXED[0] < step_length.fixed_rate(50) < step_length.FIXED[-1]


def test_falling_rate_is_one_over_root_t():
    decay, memory, lengths = equal_scales.RootDecay(0.6), 0, []
    for _ in range(4):
        alpha, memory = decay.length(None, memory)
        lengths.append(alpha)
    np.testing.assert_allclose(lengths, 0.6 / np.sqrt([1, 2, 3, 4]))


def test_work_is_counted_in_the_unit_asked_for():
    evaluations = tumours.curve(1, Backtracking(), 50, "evaluations")
    gradients = tumours.curve(1, Fixed(0.1), 50, "gradients")
    terms = tumours.curve(1, Fixed(0.1), 80, "terms", batch_size=tumours.BATCH)
    assert len(evaluations) <= 25 <= 50 <= evaluations[-1, 0]
    assert len(gradients) == 50
    assert len(terms) == 10


def test_a_diverged_run_gets_the_worst_outcome():
    assert equal_scales.regression(gradient_rule, 100.0, seed=1) == 1e6
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
        (adam(), 8, 28, 12),
        (amsgrad(), 12, 36, 13),
    ],
    ids=lambda value: value.name if isinstance(value, Rule) else None,
)
def test_cost_is_counted_from_the_rule(rule, state_bytes, moved_bytes, operations):
    counted = cost(rule)
    assert counted == (state_bytes, moved_bytes, operations)
    assert cost(rule, itemsize=8).moved_bytes == 2 * moved_bytes
    assert counted.intensity == operations / moved_bytes
