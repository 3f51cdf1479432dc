"""The claims on Adam's history: their records are what the code computes, and their effects what the cards say."""

from __future__ import annotations

import numpy as np
import pytest

from mlsys.experiments import adam_history, decoupling, protocol, studies, weight_decay
from mlsys.experiments.tasks import TASKS
from mlsys.experiments.training import train
from mlsys.optim.schedules import cosine
from mlsys.report import record

# A run in float32 is the same on one machine; on another, sums are rounded otherwise and a few labels may change.
DRIFT = 0.02


def test_every_method_had_the_same_budget_and_no_range_was_too_narrow():
    kept = record.load("studies")["result"]
    assert kept["refused"] == []
    assert list(kept["studies"]) == list(TASKS)
    for methods in kept["studies"].values():
        assert list(methods) == list(studies.METHODS)
        for name, done in methods.items():
            assert len(done) == len(protocol.STUDIES)
            assert {each["trials"] for each in done} == {kept["trials"] if studies.METHODS[name].space else 0}
            assert {len(each["error"]) for each in done} == {kept["fresh"]}


FIRST = protocol.STUDIES[0]


@pytest.mark.parametrize("task", TASKS)
def test_a_study_s_fresh_run_is_what_the_code_computes(task):
    for method in ("sgd", "amsgrad"):
        kept = record.load("studies")["result"]["studies"][task][method][0]
        make = studies.of(TASKS[task])[method].at(kept["best"])
        curve = train(TASKS[task], protocol.fresh_seeds(FIRST)[0], make, "test", schedule=cosine)
        np.testing.assert_allclose(curve.error[-1], kept["error"][0][-1], atol=DRIFT)


def test_a_search_is_what_the_code_computes():
    kept = record.load("studies")["result"]
    done = kept["studies"]["digits-mlp"]["sgd"][0]
    found = protocol.search(
        TASKS["digits-mlp"], studies.METHODS["sgd"], FIRST, kept["trials"], schedule=cosine
    )
    np.testing.assert_allclose([trial.score for trial in found.trials], done["scores"], atol=DRIFT)
    assert found.trials[int(np.argmin(done["scores"]))].at == pytest.approx(done["best"])


@pytest.mark.parametrize(("network", "method", "rate"), [("plain", "adamw", 2), ("plain", "sgd", 1)])
def test_a_row_of_the_grid_is_what_the_code_computes(network, method, rate):
    kept = decoupling.grid_of(network, method)
    grid = weight_decay.GRIDS[network][method]
    assert kept.shape == (len(weight_decay.SEEDS), len(grid.rates), 1 + len(grid.decays))
    again = weight_decay.row(network, method, grid.rates[rate], weight_decay.SEEDS[0])
    np.testing.assert_allclose(again, kept[0, rate], atol=DRIFT)


@pytest.mark.parametrize("method", ["sgd", "adamw", "adam-l2"])
def test_what_the_grid_says_is_best_was_trained_anew(method):
    kept = {name: decoupling.grid_of("normed", name) for name in weight_decay.GRIDS["normed"]}
    for choice, (rate, decay) in weight_decay.choices(kept, "normed")[method].items():
        done = decoupling.chosen("normed", method, choice)
        assert (done["rate"], done["decay"]) == pytest.approx((rate, decay))
        assert len(done["errors"]) == len(weight_decay.FRESH)
    again = weight_decay.held_out("normed", method, rate, decay, weight_decay.FRESH[0], "test")
    np.testing.assert_allclose(again, done["errors"][0], atol=DRIFT)


def test_fresh_seeds_of_weight_decay_are_no_grid_s():
    assert not set(weight_decay.FRESH) & set(weight_decay.SEEDS)


def made_up(error):
    return {"error": error, "edges": ()}


def test_effects_are_what_the_cards_say(monkeypatch):
    done = {
        "sgd": [made_up([[0.5, 0.3, 0.10], [0.5, 0.3, 0.10]]), made_up([[0.5, 0.3, 0.12]] * 2)],
        "adamw": [made_up([[0.3, 0.1, 0.08], [0.3, 0.1, 0.08]]), made_up([[0.3, 0.1, 0.10]] * 2)],
        "amsgrad": [made_up([[0.3, 0.1, 0.07]] * 2), made_up([[0.3, 0.1, 0.10]] * 2)],
        "adam, default": [made_up([[0.9, 0.8, 0.70]] * 2), made_up([[0.9, 0.8, 0.52]] * 2)],
    }
    for each in done.values():
        each.append(each[0])
    result = {"trials": 3, "studies": dict.fromkeys(TASKS, done)}
    accuracy = adam_history.adam_accuracy("digits-mlp", result)
    assert accuracy.effects == pytest.approx([0.02, 0.02, 0.02])
    assert accuracy.verdict == "holds"
    assert adam_history.adam_accuracy("images", result).effects == pytest.approx(accuracy.effects)
    assert adam_history.amsgrad_gain("digits-mlp", result).effects == pytest.approx([0.01, 0.0, 0.01])
    assert adam_history.default_gap("digits-mlp", result).effects == pytest.approx([0.6, 0.4, 0.6])
    assert adam_history.tuning_share("digits-mlp", result).effects == pytest.approx([0.32, 0.22, 0.32])
    goal = adam_history.target(result["studies"], "digits-mlp")
    assert goal == pytest.approx(np.mean([0.10, 0.12, 0.10]) + 0.01)
    slow = 2 + (0.3 - goal) / 0.2
    fast = 1 + (0.3 - goal) / 0.2
    effects = adam_history.adam_epochs("digits-mlp", result).effects
    assert effects[0] == pytest.approx(np.log10(slow / fast))


@pytest.mark.parametrize("slope", [-1.0, 0.0, 0.5])
def test_slopes_find_how_a_valley_lies(slope, monkeypatch):
    grid = weight_decay.GRIDS["plain"]["adamw"]
    x, y = np.log10(grid.rates), np.log10(grid.decays)
    middle = y.mean() + slope * (x - x.mean())
    valley = 0.1 + 0.1 * (y[None] - middle[:, None]) ** 2
    errors = np.concatenate([np.full((len(x), 1), 0.5), valley], axis=1)
    monkeypatch.setattr(decoupling, "grid_of", lambda network, method: np.stack([errors] * 3))
    np.testing.assert_allclose(decoupling.slopes("plain", "adamw"), slope, atol=0.1)
    result = decoupling.decoupled("paper", "plain")
    assert result.mean == pytest.approx(slope + 1, abs=0.1)
    assert decoupling.decoupled("torch", "plain").mean == pytest.approx(slope, abs=0.1)


def test_rates_at_which_decay_does_nothing_say_nothing_of_the_best_decay(monkeypatch):
    errors = np.full((5, 8), 0.2)
    errors[2:, 1:] = 0.1
    monkeypatch.setattr(decoupling, "grid_of", lambda network, method: np.stack([errors] * 3))
    assert list(decoupling.rows("plain", "adamw")) == [2, 3, 4]


def test_the_best_decay_is_the_middle_of_the_cells_that_are_as_good():
    values = np.array([-3.0, -2.0, -1.0, 0.0])
    assert decoupling.centre(np.array([0.5, 0.1, 0.1, 0.5]), values) == pytest.approx(-1.5)
    assert decoupling.centre(np.array([0.5, 0.1, 0.5, 0.5]), values) == pytest.approx(-2.0)


def test_what_is_taken_away_a_step_is_what_the_optimisers_take():
    """A gradient of zero leaves the decay alone: SGD's share is approached as its momentum builds up."""
    import torch

    for make, decay, share in (
        (weight_decay.adamw, 0.1, 0.01 * 0.1),
        (weight_decay.sgd, 0.01, 0.01 * 0.01 / (1 - weight_decay.MOMENTUM)),
    ):
        p = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
        optimizer = make([p], rate=0.01, decay=decay)
        for _ in range(200):
            p.grad = torch.zeros_like(p)
            before = float(p.detach())
            optimizer.step()
        assert 1 - float(p.detach()) / before == pytest.approx(share, rel=0.02)
