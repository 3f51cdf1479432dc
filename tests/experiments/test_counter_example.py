"""Adam's counter-example: its drift is exact, the critical beta2 has a law, and the record is what the code plays."""

from __future__ import annotations

import numpy as np
import pytest

from mlsys.experiments import counter_example as example
from mlsys.experiments.counter_example import critical, drift, periodic, points
from mlsys.optim import adam, amsgrad
from mlsys.report import record
from mlsys.report.claim import CONTRADICTED, EQUIVALENT, HOLDS

VERDICTS = {
    "adam-worst": HOLDS,
    "adam-worst-random": HOLDS,
    "adam-worst-defaults": HOLDS,
    "amsgrad-repairs": EQUIVALENT,
    "amsgrad-repairs-random": EQUIVALENT,
    "beta2-repairs": EQUIVALENT,
    "beta2-repairs-random": EQUIVALENT,
    "rate-repairs": CONTRADICTED,
}


@pytest.mark.parametrize("name", example.CLAIMS)
def test_verdict_is_what_the_book_says(name):
    result = example.CLAIMS[name]()
    assert result.claim.name == name
    assert result.verdict == VERDICTS[name]


@pytest.mark.parametrize("name", example.CLAIMS)
def test_a_game_without_chance_shows_no_interval(name):
    result = example.CLAIMS[name]()
    exact = not name.endswith("-random")
    assert ("interval" in result._repr_html_()) != exact
    assert (np.ptp(result.effects) < 1e-9) == exact


@pytest.mark.parametrize(("C", "period", "betas"), [(4.0, 3, (0.0, 1 / 17)), (101.0, 101, (0.9, 0.99))])
def test_drift_is_the_step_that_adam_takes_in_the_long_run(C, period, betas):
    g = periodic(C, period, 60 * period)[:, None]
    x = points(adam(1e-6, *betas), g, np.zeros(1))
    assert (x[-1, 0] - x[-1 - period, 0]) / period / 1e-6 == pytest.approx(
        drift(g[:period, 0], *betas), rel=1e-4
    )


@pytest.mark.parametrize("C", [2.1, 3, 4, 10, 30])
def test_the_papers_beta2_leads_the_wrong_way_for_every_steep_loss(C):
    assert drift(periodic(C, 3, 3), 0.0, 1 / (1 + C**2)) > 0
    assert drift(periodic(C, 3, 3), 0.0, 1 - 1e-9) < 0


@pytest.mark.parametrize("period", [11, 101, 1001])
def test_critical_beta2_comes_close_to_its_law(period):
    """1 - beta2 = 4 / n**2, up to a relative error of 1.5 / n."""
    assert critical(period, period, 0.0) * period**2 / 4 == pytest.approx(1, abs=1.5 / period)


def test_adams_default_is_right_up_to_a_period_of_63():
    assert critical(61, 61, 0.0) > 1e-3 > critical(65, 65, 0.0)


@pytest.mark.parametrize(("factor", "end"), [(0.5, -1), (2.0, 1)])
def test_beta2_on_either_side_of_the_critical_one_ends_on_either_side(factor, end):
    g = periodic(11, 11, 11_000)[:, None]
    x = points(adam(0.02, 0.0, 1 - factor * critical(11, 11, 0.0)), g, np.zeros(1))
    assert np.mean(x[-110:]) == pytest.approx(end, abs=0.2)


def test_amsgrad_goes_the_right_way_with_the_same_betas():
    g = periodic(4.0, 3, 3000)[:, None]
    assert np.mean(points(amsgrad(0.01, 0.0, 1 / 17, order="none"), g, np.ones(1))[-30:]) < -0.95
    assert np.mean(points(adam(0.01, 0.0, 1 / 17), g, -np.ones(1))[-30:]) > 0.95


def test_regret_is_what_was_paid_beyond_the_best_point():
    rng = np.random.default_rng(0)
    g, x = rng.normal(size=50), rng.uniform(-1, 1, 50)
    for t in (1, 7, 50):
        best = min(np.sum(g[:t] * at) for at in (-1.0, 1.0))
        assert example.average_regret(g, x)[t - 1] == pytest.approx((np.sum((g * x)[:t]) - best) / t)


def test_points_start_where_told_and_stay_in_the_interval():
    x = points(adam(3.0), periodic(4.0, 3, 30)[:, None], np.array([0.25]))
    assert x[0] == 0.25
    assert np.abs(x).max() == 1
    assert np.isclose(np.abs(x[1:]), 1).any()


def test_random_losses_come_as_often_as_said():
    g = example.random(10.0, 0.1, 20_000, example.stream(1, "losses"))
    assert set(np.unique(g)) == {-1.0, 10.0}
    assert np.mean(g == 10) == pytest.approx(0.1, abs=5 * np.sqrt(0.09 / 20_000))


@pytest.mark.parametrize("setting", example.SETTINGS)
def test_record_is_what_the_code_plays(setting):
    kept = record.load("counter_example")["result"][setting]
    steps = 3000
    checked = [t for t in example.CHECKPOINTS if t <= steps]
    for name, rule in example.SETTINGS[setting].rules().items():
        x = example.played(setting, rule, (1,), steps)
        path = kept[name]["path"][0]
        np.testing.assert_allclose(x[[t - 1 for t in checked], 0], path[: len(checked)], atol=2e-4)
        assert len(kept[name]["share"]) == len(kept[name]["path"]) == 10
