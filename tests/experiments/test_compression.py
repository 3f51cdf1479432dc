"""Compression and distillation: the records are what the code computes, and the verdicts what the book says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mlsys.experiments import claims, compression, compression_claims, distillation, lever_times
from mlsys.experiments.runs import SHARE
from mlsys.inference.compress.quantised import MODES
from mlsys.inference.compress.study import LEVERS, study
from mlsys.report.claim import CONTRADICTED, EQUIVALENT, HOLDS, UNDECIDED

TEST_ROWS = 719
VERDICTS = {
    "lossy-magnitude-50": EQUIVALENT,
    "lossy-magnitude-90": HOLDS,
    "lossy-two-four": HOLDS,
    "lossy-channels-50": HOLDS,
    "restored-magnitude-90": EQUIVALENT,
    "restored-magnitude-95": CONTRADICTED,
    "restored-two-four": EQUIVALENT,
    "restored-channels-50": EQUIVALENT,
    "restored-bits-4": EQUIVALENT,
    "restored-bits-2": UNDECIDED,
    "gradually-iterative": UNDECIDED,  # below zero
    "gradually-cubic": HOLDS,
    "one-threshold": HOLDS,
    "from-scratch-8": EQUIVALENT,
    "from-scratch-4": HOLDS,
    **{f"int8-{mode}{grain}": EQUIVALENT for mode in MODES for grain in ("", "-tensor")},
    "bits-8": EQUIVALENT,
    "bits-4": EQUIVALENT,
    "bits-2": HOLDS,
    "taught-2-all": UNDECIDED,
    "taught-2-tenth": HOLDS,
    "taught-4-all": EQUIVALENT,
    "taught-4-tenth": HOLDS,
    "warmer-4-all": EQUIVALENT,
    "warmer-4-tenth": HOLDS,
}


@pytest.fixture(scope="module")
def levers() -> dict:
    return compression.recorded()


@pytest.fixture(scope="module")
def students() -> dict:
    return distillation.recorded()


def test_the_record_has_every_lever_and_seed(levers):
    assert set(levers) == {", ".join(key) for key in LEVERS} | {
        f"narrow, width {w}" for w in compression.NARROW
    }
    for lever, found in levers.items():
        for field, values in found.items():
            assert values is None or len(values) == len(compression.SEEDS), (lever, field)
        for when in ("before", "after"):
            counts = TEST_ROWS * np.array(found[when] or [0])
            np.testing.assert_allclose(counts, counts.round(), atol=1e-6)


def test_some_levers_of_one_seed_again(levers):
    """To a few test images, for processors that add in another order."""
    chosen = (("none", "float32"), ("magnitude", "90%"), ("int8 static", "per channel"))
    for row in study(compression.SEEDS[0], chosen):
        kept = levers[f"{row.lever}, {row.setting}"]
        assert row.accuracy_before == pytest.approx(kept["before"][0], abs=SHARE)
        assert row.stored_bytes == pytest.approx(kept["bytes"][0], rel=0.01)
        if row.accuracy_after is not None:
            assert row.accuracy_after == pytest.approx(kept["after"][0], abs=SHARE)


def test_a_narrow_net_of_one_seed_again(levers):
    found, kept = compression.narrow(compression.SEEDS[0], 4), levers["narrow, width 4"]
    assert found["bytes"] == kept["bytes"][0] == 4 * (146 * 4**2 + 56 * 4 + 10)
    assert found["before"] == pytest.approx(kept["before"][0], abs=2 * SHARE)


def test_narrow_nets_have_the_shape_of_the_pruned_ones(levers):
    for width, percent in ((4, 75), (8, 50), (12, 25)):
        narrow, cut = levers[f"narrow, width {width}"], levers[f"channels, {percent}%"]
        assert narrow["bytes"] == cut["bytes"]
        assert narrow["multiply_adds"] == cut["multiply_adds"]


def test_a_student_of_one_seed_again(students):
    seed = distillation.SEEDS[0]
    bench = distillation.prepared(seed)
    found = distillation.student(bench, 2, 10)
    for way, kept in students["width 2, tenth"].items():
        assert len(kept) == len(distillation.SEEDS)
        assert found[way] == pytest.approx(kept[0], abs=3 * SHARE)


def test_times_are_of_every_lever_in_blocks():
    for net, found in lever_times.recorded().items():
        for rows in lever_times.ROWS:
            names = set(found[str(rows)])
            assert {"float32", "90% zeros", "2:4", "half the channels", "int8 static"} <= names
            assert ("90% zeros, sparse rows" in names) == (net == "feed-forward")
            assert len({len(blocks) for blocks in found[str(rows)].values()}) == 1
            assert all(0 < median < 10 for blocks in found[str(rows)].values() for median in blocks)


def test_sparse_rows_compute_what_the_pruned_net_does():
    net = lever_times.feed_forward()
    x = torch.rand(3, 768)
    pruned = lever_times.levers(net, x)["90% zeros"]
    with torch.inference_mode():
        torch.testing.assert_close(lever_times.sparse(net)(x), pruned(x), rtol=1e-4, atol=1e-5)


def test_measuring_gives_a_median_a_block(monkeypatch):
    monkeypatch.setattr(lever_times, "NETS", {"digits": lever_times.NETS["digits"]})
    found = lever_times.measured(blocks=2, rounds=2)["digits"]
    assert all(len(blocks) == 2 for rows in found.values() for blocks in rows.values())


@pytest.mark.parametrize("name", compression_claims.CLAIMS)
def test_claims_have_their_names_and_chapter(name):
    assert compression_claims.CLAIMS[name]().claim.name == name
    assert claims.functions()[name][0] == "inference"


def test_verdicts_are_what_the_book_says():
    """Of what has no clock in it: a time is another machine's matter."""
    seeded = {
        name: claim for name, claim in compression_claims.CLAIMS.items() if not name.startswith("faster")
    }
    assert {name: claim().verdict for name, claim in seeded.items()} == VERDICTS


def test_a_timed_card_speaks_of_blocks_and_not_of_seeds():
    shown = compression_claims.CLAIMS["faster-channels-feed-forward-128"]()._repr_html_()
    assert "blocks of rounds, one machine)" in shown
    assert "seeds)" not in shown
