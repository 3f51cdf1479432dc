"""Other layers, other kinds of model, frames reused: the records are what the code computes, verdicts the book's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mlsys.core import generator
from mlsys.experiments import alternatives_times, claims, efficient_layers, frame_reuse, last_resort
from mlsys.inference.features import fastfood
from mlsys.inference.features.last_resort import KernelClassifier, NetClassifier
from mlsys.report import record
from mlsys.report.claim import CONTRADICTED, EQUIVALENT, HOLDS, UNDECIDED

MODULES = (efficient_layers, last_resort, frame_reuse)
FEATURES = {"orthogonal-error": HOLDS, "fastfood-error": CONTRADICTED}
REUSE = dict(
    zip(
        ("reuse-exact", "reuse-noise", "reuse-threshold", "reuse-error", "reuse-turning"),
        (HOLDS, EQUIVALENT, HOLDS, EQUIVALENT, EQUIVALENT),
        strict=True,
    )
)
KINDS = {  # linear, kernel features, tree, boosting: whether giving up the net costs accuracy
    "digits": (HOLDS, EQUIVALENT, HOLDS, UNDECIDED),
    "breast-cancer": (EQUIVALENT, EQUIVALENT, HOLDS, HOLDS),
    "shapes": (HOLDS, HOLDS, HOLDS, HOLDS),
}
RESORT = {
    f"{kind.replace(' ', '-')}-in-place-of-a-net-{data}": verdict
    for data, verdicts in KINDS.items()
    for kind, verdict in zip(last_resort.OTHERS, verdicts, strict=True)
}
LAYERS = {
    "separable-accuracy": UNDECIDED,
    "circulant-accuracy": CONTRADICTED,
    "separable-against-thin": UNDECIDED,
    "separable-against-thin-narrow": HOLDS,
    "shuffle-against-thin": UNDECIDED,
    "shuffle-against-thin-narrow": UNDECIDED,
    "circulant-against-thin": CONTRADICTED,
    "separable-against-thin-size": UNDECIDED,
    "shuffle-against-thin-size": HOLDS,
    "circulant-against-thin-size": UNDECIDED,
    "shuffle-against-separable": UNDECIDED,
}
VERDICTS = FEATURES | REUSE | RESORT | LAYERS


@pytest.mark.parametrize(("kind", "multiplier"), [("dense", 0.5), ("separable", 1.0), ("shuffle", 2.0)])
def test_one_seed_of_a_net_again(kind, multiplier):
    """To four images of 750, for processors that add in another order."""
    kept = efficient_layers.net(kind, multiplier)
    again = efficient_layers.run(kind, multiplier, seed=1, lr=kept["rate"])
    assert again.accuracy == pytest.approx(kept["accuracy"][0], abs=4.5 / 750)
    assert (again.multiply_adds, again.parameters) == (kept["multiply_adds"], kept["parameters"])


def test_the_record_of_layers_is_whole():
    kept = efficient_layers.recorded()
    for kind, widths in efficient_layers.WIDTHS.items():
        assert [each["multiplier"] for each in kept["nets"][kind]] == list(widths)
        assert {len(each["accuracy"]) for each in kept["nets"][kind]} == {len(efficient_layers.SEEDS)}
        searched = {float(rate): found for rate, found in kept["tuning"][kind].items()}
        assert {each["rate"] for each in kept["nets"][kind]} == {efficient_layers.best(searched)}
        costs = [each["multiply_adds"] for each in kept["nets"][kind]]
        assert costs == sorted(costs)


def test_accuracy_at_a_cost_lies_between_two_widths():
    low, high = (efficient_layers.net("dense", m) for m in (0.5, 0.75))
    middle = float(np.sqrt(low["multiply_adds"] * high["multiply_adds"]))
    expected = np.add(low["accuracy"], high["accuracy"]) / 2
    np.testing.assert_allclose(efficient_layers.at_cost("dense", middle), expected)
    np.testing.assert_allclose(efficient_layers.at_cost("dense", low["multiply_adds"]), low["accuracy"])
    with pytest.raises(ValueError, match=r"cost must be within .* of dense; got 1"):
        efficient_layers.at_cost("dense", 1)


def test_a_rate_at_the_end_is_refused():
    assert efficient_layers.best({0.001: 0.4, 0.01: 0.5, 0.1: 0.3}) == 0.01
    with pytest.raises(ValueError, match=r"rates must reach beyond the best one; got 0\.1"):
        efficient_layers.best({0.001: 0.4, 0.1: 0.5})


def test_one_seed_of_the_last_resort_again():
    kept = last_resort.recorded("breast_cancer")
    again = last_resort.run("breast_cancer", 1)
    assert set(again) == set(kept)
    for name, (accuracy, _, _) in again.items():
        assert accuracy == pytest.approx(kept[name]["accuracy"][0], abs=2.5 / 142), name


def test_the_record_of_the_last_resort_is_whole():
    names = {*last_resort.OTHERS, "net", *(f"net {width}" for width in last_resort.HIDDEN)}
    for data, (seeds, _) in last_resort.DATA.items():
        kept = last_resort.recorded(data)
        assert set(kept) == names
        assert {len(each["accuracy"]) for each in kept.values()} == {seeds}


def test_operations_are_those_of_a_prediction():
    rng = generator(0)
    X, y = rng.standard_normal((80, 4)), np.arange(80) % 2
    y[X[:, 0] > 0.3] = 1
    found = last_resort.fitted(X, y, 2, 0, 64)
    assert last_resort.operations(found["linear"], X) == 4
    assert last_resort.operations(found["net"], X) == 4 * 256 + 256 * 2
    features = fastfood(4, 64, 1 / 16, rng)
    assert last_resort.operations(found["kernel features"], X) == features.multiply_adds() + 64
    depth = found["tree"].get_depth()
    assert 1 <= last_resort.operations(found["tree"], X) <= depth
    assert 60 <= last_resort.operations(found["boosting"], X) <= 60 * 31


def test_the_bare_arithmetic_predicts_what_the_library_does():
    found, test = last_resort.models("digits", 1, hidden=(4,), number=256)
    X = test.X.astype(np.float32)
    for name, model in found.items():
        bare = alternatives_times.bare(model)
        if name == "boosting":
            assert bare is None
        else:
            assert np.mean(bare(X) == model.predict(X)) > 0.995, name
    assert isinstance(found["kernel features"], KernelClassifier)
    assert isinstance(found["net 4"], NetClassifier)


def test_one_film_again():
    kept = frame_reuse.recorded("still camera")
    assert kept.shape == (len(frame_reuse.SEEDS), len(frame_reuse.THRESHOLDS), 3)
    again = frame_reuse.of_film("still camera", 1, thresholds=(frame_reuse.CHOSEN,))
    np.testing.assert_allclose(
        again[0], frame_reuse.recorded("still camera", frame_reuse.CHOSEN)[0], rtol=0.02
    )


def test_a_turning_camera_moves_its_window():
    film = frame_reuse.panned(1, frames=4, size=32)
    assert film.frames.shape == (4, 3, 32, 32)
    moved = np.abs(film.frames[1][:, :, :-1] - film.frames[0][:, :, 1:])  # the same scene, a pixel on
    assert np.median(moved) < 5 * frame_reuse.NOISE


def test_times_are_of_every_candidate(monkeypatch):
    kept = record.load("alternatives_times")["result"]
    nets = {f"{kind} {m:g}" for kind, widths in efficient_layers.WIDTHS.items() for m in widths}
    assert all(set(found) == nets for found in kept["classifiers"].values())
    assert set(kept["frames"]) == set(alternatives_times.FIRST_LAYERS)
    calls = alternatives_times.frames(3, 4, changed=(0, 5, 64))
    assert list(calls) == ["all", "0", "5", "64"]
    timings = alternatives_times.timed(calls, rounds=1)
    assert all(timing["median_s"] > 0 for timing in timings.values())
    with torch.no_grad():
        assert all(call().shape == (2, 10) for call in alternatives_times.classifiers(2).values())


CLAIMS = {name: claim for module in MODULES for name, claim in module.CLAIMS.items()}


@pytest.mark.parametrize("name", CLAIMS)
def test_verdict_is_what_the_book_says(name):
    found = CLAIMS[name]()
    assert found.claim.name == name
    assert claims.functions()[name][0] == "inference"
    assert found.verdict == VERDICTS[name]
