"""The server on trial, in short, and at full length where there is time: nothing lost, nothing wrong."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from mlsys.experiments import load_trial, served, served_load
from mlsys.report import record

SMALL = "wide-mlp:2048"


def test_nothing_is_lost_or_wrong_in_a_short_trial():
    """Whatever the machine does meanwhile; only whether it comes back in time hangs on it."""
    found = load_trial.measured(seconds=2.0, name=SMALL)
    assert load_trial.faults(found) == []
    assert list(found["phases"]) == ["0.5", "1", "2", "kill"]
    assert all(phase["answered"] > 20 for phase in found["phases"].values())
    assert found["phases"]["2"]["sent"] > 1.2 * found["phases"]["1"]["sent"]


@pytest.mark.slow
def test_nothing_is_lost_or_wrong_in_the_whole_trial():
    assert load_trial.faults(load_trial.measured()) == []


def test_the_record_has_no_fault_and_a_fault_would_be_seen():
    kept = record.load("load_trial")["result"]
    assert load_trial.faults(kept) == []
    spoils = {
        "1": {"answered": -1, "wrong": 1, "unaccounted": 2, "strays": 1, "refused": 3},
        "kill": {"failed": 0, "answered_after": 0},
    }
    for name, changes in spoils.items():
        for what, by in changes.items():
            spoilt = copy.deepcopy(kept)
            spoilt["phases"][name][what] = by if name == "kill" else spoilt["phases"][name][what] + by
            assert load_trial.faults(spoilt), (name, what)


def test_an_exchanged_answer_is_not_the_right_one():
    asked = served.questions("wide-mlp:32")
    assert asked.same(asked.right[0].tolist(), asked.right[0])
    assert asked.same((asked.right[0] * (1 + 1e-6)).tolist(), asked.right[0])
    for other in (asked.right[1].tolist(), asked.right[0][:-1].tolist(), [np.nan] * 10):
        assert not asked.same(other, asked.right[0])
    with pytest.raises(KeyError):
        asked.right[served.SAMPLES]


def test_a_short_curve_accounts_for_everything(monkeypatch):
    monkeypatch.setattr(served_load, "SETTINGS", ((1, 0), (8, 2)))
    monkeypatch.setattr(served_load, "RATES", (0.3, 2.0))
    found = served_load.measured(seconds=0.5, models=("wide-mlp:512",))["wide-mlp:512"]
    assert list(found) == ["alone_per_s", "1x0", "8x2"]
    for key in ("1x0", "8x2"):
        for point in found[key]["points"]:
            assert point["sent"] == point["answered"] + point["refused"] + point["failed"]
            assert point["unaccounted"] == point["wrong"] == point["strays"] == 0
            assert 1 <= point["mean_batch"] <= 8
    assert found["1x0"]["points"][0]["mean_batch"] == 1


def test_the_record_of_curves_accounts_for_everything():
    kept = record.load("served_load")["result"]
    assert set(kept) == set(served_load.MODELS)
    for curves in kept.values():
        for batch, wait in served_load.SETTINGS:
            points = curves[f"{batch}x{wait}"]["points"]
            assert len(points) == len(served_load.RATES)
            for point in points:
                assert point["sent"] == point["answered"] + point["refused"] + point["failed"]
                assert point["unaccounted"] == point["wrong"] == point["strays"] == 0
