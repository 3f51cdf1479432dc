"""Warm-up: what is measured of the runs, and the record recomputed for one seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsys.experiments import warm_up
from mlsys.optim import schedules
from mlsys.report import record
from mlsys.report.claim import CONTRADICTED, EQUIVALENT, HOLDS, UNDECIDED

VERDICTS = {
    "warm-up-adam": HOLDS,
    "warm-up-rmsprop": HOLDS,
    "warm-up-radam": UNDECIDED,  # a little harm, at the margin
    "warm-up-sgd": EQUIVALENT,
    "warm-up-adam-256": HOLDS,
    "warm-up-rmsprop-256": EQUIVALENT,
    "warm-up-radam-256": CONTRADICTED,
    "warm-up-sgd-256": CONTRADICTED,
    "warm-up-adam-text": EQUIVALENT,
    "warm-up-sgd-text": EQUIVALENT,
    "warm-up-range-adam": HOLDS,
    "warm-up-range-rmsprop": HOLDS,
    "warm-up-range-radam": UNDECIDED,
    "warm-up-range-sgd": EQUIVALENT,
    "warm-up-range-adam-256": HOLDS,
    "warm-up-range-rmsprop-256": EQUIVALENT,
    "warm-up-range-radam-256": CONTRADICTED,
    "warm-up-range-sgd-256": CONTRADICTED,
    "warm-up-range-adam-text": UNDECIDED,
    "warm-up-range-sgd-text": UNDECIDED,
    "warm-up-errors-adam": EQUIVALENT,
    "warm-up-errors-rmsprop": EQUIVALENT,
    "warm-up-errors-sgd": EQUIVALENT,
    "warm-up-errors-adam-256": EQUIVALENT,
    "warm-up-errors-rmsprop-256": EQUIVALENT,
    "warm-up-errors-sgd-256": EQUIVALENT,
}


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
    assert warm_up.decades(np.array(losses), 10**0.5, 1.0) == pytest.approx(width)
    assert warm_up.decades(np.array(losses), 10**0.5, 0.3) == pytest.approx(0.3 * width)


def test_following_is_the_warm_up_times_the_cosine():
    t = np.arange(1, 101)
    falling = np.array([schedules.cosine(100).factor(int(s)) for s in t])
    plain, linear = (
        np.array([warm_up.following(n)(100).factor(int(s)) for s in t]) for n in ("none", "linear")
    )
    np.testing.assert_allclose(plain, falling)
    np.testing.assert_allclose(linear, falling * np.minimum(1, t / 20))
    for name in warm_up.WARMUPS:
        assert 0 <= warm_up.following(name)(100).factor(1) <= 1


def test_best_rate_is_that_of_the_tuning_seeds_and_not_the_first_or_last():
    assert warm_up.best({"tuning": [[3, 1, 2, 9], [3, 8, 2, 9]], "loss": [[0, 9, 9, 9]]}) == 2
    with pytest.raises(ValueError, match="reach beyond"):
        warm_up.best({"tuning": [[1, 2, 3]]})


def test_gains_compare_best_rates_and_widths_one_level():
    at = replace(warm_up.SETTINGS["text"], usable=2.0, spacing=1.0)
    without = {"tuning": [[9.0, 1.0, 9.0, 9.0]], "loss": [[9.0, 1.0, 9.0, 9.0], [9.0, 2.0, 9.0, 9.0]]}
    warm = {"tuning": [[9.0, 9.0, 1.0, 9.0]], "loss": [[1.0, 1.0, 0.1, 9.0], [9.0, 1.0, 1.0, 9.0]]}
    np.testing.assert_allclose(warm_up.tuned_gains(without, warm), [1.0, np.log10(2)])
    first, second = warm_up.widened(without, warm, at)
    assert first == pytest.approx(np.log10(2) * (1 + 1 / np.log10(90)))
    assert second == pytest.approx(1 + 2 * np.log(2) / np.log(9))  # against one rate, of no width


@pytest.mark.parametrize("name", warm_up.CLAIMS)
def test_claim_is_measured_with_its_best_rates_inside_the_grid(name):
    result = warm_up.CLAIMS[name]()
    assert result.claim.name == name
    assert result.verdict == VERDICTS[name]


@pytest.mark.parametrize(
    ("setting", "optimiser", "warmup"),
    [
        ("digits, batch 256", "adam", "linear"),
        ("digits, batch 256", "sgd", "none"),
        ("digits, batch 32", "rmsprop", "short"),
        ("digits, batch 32", "adam", "exponential"),
        ("text", "adam", "linear"),
    ],
)
def test_record_is_what_the_code_computes(setting, optimiser, warmup, monkeypatch):
    """A seed of a cell, at its best rate: one network trained by itself gives what it gave among many."""
    kept = record.load("warm_up")["result"][setting][optimiser][warmup]
    at = warm_up.SETTINGS[setting]
    chosen = warm_up.best(kept)
    rates = {optimiser: (at.rates[optimiser][chosen],)}
    monkeypatch.setitem(warm_up.SETTINGS, setting, replace(at, rates=rates, tuning=0, seeds=1))
    again = warm_up.cell(setting, optimiser, warmup)
    assert again["loss"][0][0] == pytest.approx(kept["loss"][0][chosen], rel=0.02)
    assert again["error"][0][0] == pytest.approx(kept["error"][0][chosen], rel=0.02, abs=3.1 / 719)
    assert {len(kept[key]) for key in ("loss", "error")} == {at.seeds}
    assert len(kept["tuning"]) == at.tuning
