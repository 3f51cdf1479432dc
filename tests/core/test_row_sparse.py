"""RowSparse says what is wrong with it, and is the array that it stands for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mlsys.core import RowSparse
from mlsys.optim import adagrad

ONES = np.ones(2)


@pytest.mark.parametrize(
    ("rows", "values", "shape", "error", "words"),
    [
        ([0, 5], ONES, (5,), IndexError, r"rows must lie in \[0, 5\); got 0 to 5"),
        ([-1, 2], ONES, (5,), IndexError, r"got -1 to 2"),
        ([2, 2], ONES, (5,), ValueError, "rows must be distinct; add up"),
        ([0], ONES, (5,), ValueError, r"rows must be \(k,\) beside k values; got \(1,\) and 2"),
        ([[0, 1]], ONES, (5,), ValueError, r"rows must be \(k,\)"),
        ([0, 1], np.ones((2, 3)), (5, 4), ValueError, r"values must have rows of shape \(4,\); got \(3,\)"),
        ([0.0, 1.0], ONES, (5,), TypeError, "rows must be whole numbers; got dtype float64"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_moves(rows, values, shape, error, words) -> None:
    g = RowSparse(np.array(rows), values, shape)
    with pytest.raises(error, match=words):
        g.check()
    rule, w = adagrad(), np.zeros(shape)
    state = rule.init(w)
    with pytest.raises(error, match=words):
        rule.step(w, g, state)
    assert not w.any()
    assert not state.G.any()


def test_a_gradient_of_another_shape_or_dtype_than_w_is_refused() -> None:
    rule, w = adagrad(), np.zeros(6)
    with pytest.raises(ValueError, match=r"g and w must agree in shape; g has \(5,\), w has \(6,\)"):
        rule.step(w, RowSparse(np.array([0, 1]), ONES, (5,)), rule.init(w))
    with pytest.raises(ValueError, match="agree in dtype"):
        rule.step(w, RowSparse(np.array([0, 1]), ONES.astype(np.float32), (6,)), rule.init(w))
    with pytest.raises(ValueError, match="G and w must agree in shape"):
        rule.step(w, RowSparse(np.array([0, 1]), ONES, (6,)), rule.init(np.zeros(7)))


@pytest.mark.parametrize("make", [np.array, torch.tensor], ids=["numpy", "torch"])
def test_a_row_sparse_step_mutates_nothing(make) -> None:
    rule, w = adagrad(0.5), make([1.0, 2.0, 3.0])
    state = rule.init(w)
    g = RowSparse(make([2, 0]), make([4.0, -1.0]), (3,))
    new, _ = rule.step(w, g, state)
    assert new.tolist() == pytest.approx([1.5, 2.0, 2.5], rel=1e-9)
    assert w.tolist() == [1, 2, 3]
    assert state.G.tolist() == [0, 0, 0]
    assert g.values.tolist() == [4, -1]


@pytest.mark.parametrize("make", [np.array, torch.tensor], ids=["numpy", "torch"])
def test_dense_is_the_whole_array_in_its_own_library(make) -> None:
    g = RowSparse(make([3, 0]), make([[1.0, 2.0], [3.0, 4.0]]), (4, 2))
    assert g.check() is g
    whole = g.dense()
    assert type(whole) is type(g.values)
    assert whole.dtype == g.values.dtype
    assert whole.tolist() == [[3, 4], [0, 0], [0, 0], [1, 2]]
    none = RowSparse(make([3, 0])[:0], g.values[:0], (4, 2))
    assert none.check().dense().tolist() == [[0, 0]] * 4
