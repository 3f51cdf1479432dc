"""Warm-up: what is measured of the runs, and the record recomputed for one seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsys.experiments import warm_runs, warm_up
from mlsys.optim import schedules
from mlsys.report import record
from mlsys.report.claim import CONTRADICTED, EQUIVALENT, HOLDS, UNDECIDED

VERDICTS = {
    "warm-up-adam": HOLDS,
    "warm-up-rmsprop": HOLDS,
    "warm-up-corrected": EQUIVALENT,
    "warm-up-radam": EQUIVALENT,
    "warm-up-sgd": EQUIVALENT,
    "warm-up-plain": EQUIVALENT,
    "warm-up-adam-256": HOLDS,
    "warm-up-rmsprop-256": EQUIVALENT,
    "warm-up-corrected-256": EQUIVALENT,
    "warm-up-radam-256": CONTRADICTED,
    "warm-up-sgd-256": CONTRADICTED,
    "warm-up-plain-256": EQUIVALENT,
    "warm-up-adam-text": EQUIVALENT,
    "warm-up-sgd-text": EQUIVALENT,
    "warm-up-range-adam": HOLDS,
    "warm-up-range-rmsprop": HOLDS,
    "warm-up-range-radam": HOLDS,
    "warm-up-range-sgd": EQUIVALENT,
    "warm-up-range-plain": UNDECIDED,  # wider by the margin
    "warm-up-range-adam-256": HOLDS,
    "warm-up-range-rmsprop-256": EQUIVALENT,
    "warm-up-range-radam-256": CONTRADICTED,
    "warm-up-range-sgd-256": CONTRADICTED,
    "warm-up-range-plain-256": EQUIVALENT,
    "warm-up-range-adam-text": UNDECIDED,
    "warm-up-range-sgd-text": UNDECIDED,
    "warm-up-own-range-adam": EQUIVALENT,
    "warm-up-own-range-rmsprop": UNDECIDED,
    "warm-up-own-range-radam": EQUIVALENT,
    "warm-up-own-range-sgd": EQUIVALENT,
    "warm-up-own-range-plain": EQUIVALENT,
    "warm-up-own-range-adam-256": CONTRADICTED,
    "warm-up-own-range-rmsprop-256": UNDECIDED,
    "warm-up-own-range-radam-256": EQUIVALENT,
    "warm-up-own-range-sgd-256": EQUIVALENT,
    "warm-up-own-range-plain-256": EQUIVALENT,
    "warm-up-own-range-adam-text": HOLDS,
    "warm-up-own-range-sgd-text": UNDECIDED,
    "warm-up-errors-adam": EQUIVALENT,
    "warm-up-errors-rmsprop": EQUIVALENT,
    "warm-up-errors-radam": EQUIVALENT,
    "warm-up-errors-sgd": EQUIVALENT,
    "warm-up-errors-plain": UNDECIDED,
    "warm-up-errors-adam-256": EQUIVALENT,
    "warm-up-errors-rmsprop-256": EQUIVALENT,
    "warm-up-errors-radam-256": UNDECIDED,
    "warm-up-errors-sgd-256": EQUIVALENT,
    "warm-up-errors-plain-256": UNDECIDED,
    "radam-alone-adam": HOLDS,
    "radam-alone-adam-256": HOLDS,
    "radam-alone-warmed": HOLDS,
    "radam-alone-warmed-256": UNDECIDED,
    "warm-up-statistics": EQUIVALENT,
    "warm-up-perfect": CONTRADICTED,
    "warm-up-start": CONTRADICTED,
}
CURVES = [
    (setting, optimiser) for setting in warm_up.PLACES for optimiser in warm_runs.SETTINGS[setting].rates
]


@pytest.mark.parametrize(
    ("losses", "width"),
    [
        ((10.0, 1.0, 1.0, 10.0), 1.0 + 2 * 0.5),  # at level 10**0.5: half of either slope
        ((1.0, 1.0, 1.0), 2.0),
        ((100.0, 100.0), 0.0),
        ((100.0, 0.1, 100.0), 2 * 1.5 / 3),
        ((1.0, 10.0, 1.0), 2 * 0.5),
    ],
)
def test_width_of_the_usable_rates(losses, width):
    assert warm_runs.decades(np.array(losses), 10**0.5, 1.0) == pytest.approx(width)
    assert warm_runs.decades(np.array(losses), 10**0.5, 0.3) == pytest.approx(0.3 * width)


def test_following_is_the_warm_up_times_the_cosine():
    t = np.arange(1, 101)
    falling = np.array([schedules.cosine(100).factor(int(s)) for s in t])
    plain, linear = (
        np.array([warm_runs.following(n)(100).factor(int(s)) for s in t]) for n in ("none", "linear")
    )
    np.testing.assert_allclose(plain, falling)
    np.testing.assert_allclose(linear, falling * np.minimum(1, t / 20))
    for name in warm_runs.WARMUPS:
        assert 0 <= warm_runs.following(name)(100).factor(1) <= 1


def test_best_rate_is_that_of_the_tuning_seeds_and_not_the_first_or_last():
    kept = {"tuning": [[3, 1, 2, 9], [3, 8, 2, 9]], "loss": [[0, 9, 7, 9], [0, 9, 5, 9]]}
    assert warm_runs.best(kept) == 2
    np.testing.assert_array_equal(warm_runs.tuned(kept), [7, 5])
    with pytest.raises(ValueError, match="reach beyond"):
        warm_runs.best({"tuning": [[1, 2, 3]]})


WITHOUT = {"tuning": [[9.0, 1.0, 9.0, 9.0]], "loss": [[9.0, 1.0, 9.0, 9.0], [9.0, 2.0, 9.0, 9.0]]}
WARM = {"tuning": [[9.0, 9.0, 1.0, 9.0]], "loss": [[1.0, 1.0, 0.1, 9.0], [9.0, 1.0, 1.0, 9.0], [9.0] * 4]}


def test_gains_compare_best_rates_of_the_seeds_that_both_have():
    np.testing.assert_allclose(warm_runs.log_gains(WITHOUT, WARM), [1.0, np.log10(2)])


def test_a_rate_is_usable_beside_the_better_curve_or_beside_its_own():
    at = replace(warm_runs.SETTINGS["text"], usable=2.0, spacing=1.0)
    warm = {**WARM, "loss": WARM["loss"][:2]}
    first, second = warm_runs.widened(WITHOUT, warm, at, own=False)
    assert first == pytest.approx(np.log10(2) * (1 + 1 / np.log10(90)))
    assert second == pytest.approx(1 + 2 * np.log(2) / np.log(9))  # against one rate, of no width
    first, second = warm_runs.widened(WITHOUT, warm, at, own=True)
    alone = 2 * np.log(2) / np.log(9)  # 9, 1, 9: up to 2 on either side
    assert first == pytest.approx(np.log10(2) * (1 + 1 / np.log10(90)) - alone)
    assert second == pytest.approx(1 + 2 * np.log(2) / np.log(9) - 2 * np.log(2) / np.log(4.5))


@pytest.mark.parametrize("name", warm_up.CLAIMS)
def test_claim_is_measured_with_its_best_rates_inside_the_grid(name):
    result = warm_up.CLAIMS[name]()
    assert result.claim.name == name
    assert result.verdict == VERDICTS[name]


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize(("setting", "optimiser"), CURVES)
def test_no_range_of_usable_rates_is_cut_off_by_the_end_of_a_grid(setting, optimiser, own):
    kept, at = warm_up.recorded()[setting][optimiser], warm_runs.SETTINGS[setting]
    limits = warm_runs.levels(kept["none"], kept["linear"], at.usable, own)
    for way, level in zip(warm_runs.BOTH, limits, strict=True):
        ends = np.array(kept[way]["loss"])[:, [0, -1]]
        assert (ends > level[:, None]).all(), (
            f"{way}: {(ends <= level[:, None]).sum(axis=0)} seeds at the ends"
        )


@pytest.mark.parametrize(
    ("setting", "optimiser", "warmup"),
    [
        ("digits, batch 256", "adam", "linear"),
        ("digits, batch 256", "sgd", "none"),
        ("digits, batch 256", "plain", "linear"),
        ("digits, batch 32", "rmsprop", "short"),
        ("digits, batch 32", "corrected", "none"),
        ("digits, batch 32", "adam", "exponential"),
        ("statistics", "perfect", "linear"),
        ("statistics", "start", "none"),
        ("text", "adam", "linear"),
    ],
)
def test_record_is_what_the_code_computes(setting, optimiser, warmup, monkeypatch):
    """A seed of a cell, at its best rate: one network trained by itself gives what it gave among many."""
    kept = record.load("warm_up")["result"][setting][optimiser][warmup]
    at = warm_runs.SETTINGS[setting]
    chosen = warm_runs.best(kept)
    rates = {optimiser: (at.rates[optimiser][chosen],)}
    monkeypatch.setitem(warm_runs.SETTINGS, setting, replace(at, rates=rates, tuning=0, seeds=1, few=1))
    again = warm_runs.cell(setting, optimiser, warmup)
    assert again["loss"][0][0] == pytest.approx(kept["loss"][0][chosen], rel=0.02)
    if setting in warm_up.DIGITS:
        assert again["error"][0][0] == pytest.approx(kept["error"][0][chosen], rel=0.02, abs=3.1 / 719)
    assert len(kept["loss"]) == (at.seeds if warmup in warm_runs.BOTH else at.few)
    assert len(kept["tuning"]) == at.tuning


@pytest.mark.parametrize("setting", warm_runs.SETTINGS)
def test_no_effect_is_measured_on_a_seed_that_chose_a_rate(setting):
    at = warm_runs.SETTINGS[setting]
    for warmup in warm_runs.WARMUPS:
        seeds = at.all_seeds(warmup)
        assert len({*seeds}) == len(seeds)
        assert seeds[: at.tuning] == warm_runs.TUNING_SEEDS[: at.tuning]
        assert not {*seeds[at.tuning :]} & {*warm_runs.TUNING_SEEDS}
