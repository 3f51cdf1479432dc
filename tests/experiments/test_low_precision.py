"""What fewer bits cost: the record is what the code computes, and its claims read it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mlsys.experiments import claims, low_precision
from mlsys.optim import LowBitAdamW
from mlsys.report import record
from mlsys.report.claim import EQUIVALENT, HOLDS


@pytest.fixture(scope="module")
def result() -> dict:
    return record.load("low_precision")["result"]


@pytest.mark.parametrize(
    ("at", "form"), [("best", "float32"), ("best", "bfloat16-nearest"), ("lower", "8bit-nearest")]
)
def test_one_seed_of_the_record_again(result, at, form):
    """To 2 % of the loss, for processors that add in another order."""
    loss, error, ratio = low_precision.run(form, result["rates"][at], low_precision.SEEDS[0])
    kept = result["runs"][at][form][0]
    assert loss == pytest.approx(kept[0], rel=0.02)
    assert error == pytest.approx(kept[1], abs=0.01)
    assert ratio == pytest.approx(kept[2], abs=0.02)


def test_the_record_is_whole(result):
    assert low_precision.RATES[0] < result["rates"]["best"] < low_precision.RATES[-1]
    assert result["rates"]["lower"] == pytest.approx(low_precision.LOWER * result["rates"]["best"])
    for runs in result["runs"].values():
        assert set(runs) == {"float32", *low_precision.FORMS}
        assert {len(each) for each in runs.values()} == {len(low_precision.SEEDS)}
        np.testing.assert_allclose(np.array(runs["float32"])[:, 2], 0, atol=1e-5)


@pytest.mark.parametrize("name", low_precision.CLAIMS)
def test_claims_have_their_names_and_a_seed_an_effect(name):
    found = low_precision.CLAIMS[name]()
    assert found.claim.name == name
    assert len(found.effects) == len(low_precision.SEEDS)
    assert claims.functions()[name][0] == "adam-history"


@pytest.mark.parametrize("name", low_precision.CLAIMS)
def test_verdict_is_what_the_book_says(name):
    """At random nothing is lost; to nearest v stands still, and what that costs depends on rate and format."""
    free = "stochastic" in name or name == "8bit-nearest-loss-lower"
    assert low_precision.CLAIMS[name]().verdict == (EQUIVALENT if free else HOLDS)


def test_the_exact_average_is_what_v_stands_for():
    p = torch.nn.Parameter(torch.zeros(300))
    for moments in ("bfloat16", "8bit"):
        optimizer = LowBitAdamW([p], moments=moments)
        exact = low_precision.Exact(optimizer)
        for t in range(3):
            p.grad = torch.full((300,), 1.0 + t)
            optimizer.step()
        squares = 0.001 * (0.999**2 * 1 + 0.999 * 4 + 9)
        torch.testing.assert_close(exact.v[p], torch.full((300,), squares))
        assert low_precision.kept(optimizer, p).mean().item() == pytest.approx(squares, rel=0.05)


def test_a_rate_at_the_end_is_refused(monkeypatch):
    monkeypatch.setattr(low_precision, "parallel", lambda run, calls: [run(*each) for each in calls])
    with pytest.raises(ValueError, match="rates must reach beyond the best one"):
        low_precision.best_rate((1e-3, 1e-5), epochs=1)
