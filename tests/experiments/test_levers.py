"""The table of all levers: whole, and read from the records as they are."""

from __future__ import annotations

import numpy as np
import pytest

from mlsys.experiments import last_resort
from mlsys.experiments.levers import COMPRESSED, DIGITS, LAYERS, MANY, ONE, ROWS, SHAPES, large_net, levers


def test_every_lever_is_there_with_what_it_costs_and_saves():
    found = levers()
    assert [each.name for each in found if each.of == DIGITS] == list(COMPRESSED)
    assert [each.name for each in found if each.of == SHAPES] == list(LAYERS)
    assert [each.name for each in found if each.of == ROWS] == [*last_resort.OTHERS, "a net of 16 units"]
    for each in found:
        assert len(each.points) >= 3
        assert np.abs(each.points).max() <= 100
        assert min(each.smaller, each.less, *each.faster.values()) > 0
        assert set(each.faster) == {ONE, MANY}
    linear = next(each for each in found if each.name == "linear")
    assert linear.less == pytest.approx((64 * 256 + 256 * 10) / 640)


def test_the_large_net_is_beside_itself_in_float32():
    names = [name for name, _, _ in large_net()]
    assert "int8 static" in names
    assert "float32" not in names
