"""The study of every lever: seeded, honest in what it counts."""

from __future__ import annotations

import pytest
from torch import nn

from mlsys.inference.compress.study import LEVERS, Row, digits_chain, study

FEW = (
    ("none", "float32"),
    ("magnitude", "90%"),
    ("2:4", "50%"),
    ("channels", "50%"),
    ("int8 static", "per channel"),
    ("quantisation-aware", "2-bit weights"),
)


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    return {row.lever: row for row in study(0, FEW, timed=lambda model: type(model).__name__)}


def test_what_each_lever_saves(rows: dict[str, Row]) -> None:
    none, eight, four = rows["none"], rows["int8 static"], rows["2:4"]
    assert none.stored_bytes == 4 * (146 * 16**2 + 56 * 16 + 10)
    assert none.multiply_adds == none.nonzero_multiply_adds
    assert 0.25 < eight.stored_bytes / none.stored_bytes < 0.26
    assert rows["magnitude"].stored_bytes < 0.14 * none.stored_bytes
    assert rows["magnitude"].multiply_adds == none.multiply_adds
    assert rows["magnitude"].nonzero_multiply_adds < 0.5 * none.multiply_adds
    assert (
        four.nonzero_multiply_adds == 64 * 144 + (none.multiply_adds - 64 * 144) // 2
    )  # the first layer stays
    assert rows["channels"].multiply_adds < 0.3 * none.multiply_adds
    assert all(row.timing == "Sequential" for row in rows.values())


def test_a_lossy_operation_then_retraining(rows: dict[str, Row]) -> None:
    none = rows["none"].accuracy_before
    assert none > 0.94
    for lever in ("magnitude", "channels", "quantisation-aware"):
        row = rows[lever]
        assert row.accuracy_before < none - 0.03
        assert row.accuracy_after is not None
        assert row.accuracy_after > row.accuracy_before
    assert abs(rows["int8 static"].accuracy_before - none) < 0.01
    assert rows["int8 static"].accuracy_after is None


def test_the_same_seed_gives_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EPOCHS", "TUNING", "LESSONS"):
        monkeypatch.setattr(f"mlsys.inference.compress.study.{name}", 1)
    rows = {row[:2]: row for row in study(3)}
    assert list(rows) == list(LEVERS)
    some = [*reversed(FEW), ("distilled", "width 4 of 16"), ("magnitude", "95%, cubic")]
    assert study(3, some) == [rows[key] for key in some]  # whatever was computed before
    assert study(4, FEW[:1])[0] != rows[FEW[0]]


def test_every_lever_has_a_row_and_unknown_ones_are_refused_at_once() -> None:
    assert len(LEVERS) > 15
    with pytest.raises(KeyError, match="magic"):
        study(0, [("magic", "100%")])


def test_the_chain_has_the_parameters_it_says() -> None:
    for width in (1, 4, 16):
        count = sum(p.numel() for p in digits_chain(0, width).parameters())
        assert count == 146 * width**2 + 56 * width + 10
    assert isinstance(digits_chain(0), nn.Sequential)
