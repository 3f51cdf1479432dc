"""Perfect statistics: the expectation by enumeration, and Adam itself where there are none."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mlsys.experiments import perfect, together
from mlsys.optim import schedules


@pytest.mark.parametrize("batch", [1, 2, 5, 7])
def test_expected_square_is_the_mean_over_all_batches(batch):
    data, n = together.digits(1), 7
    X, y = (part[:n].astype(part.dtype if part.dtype.kind == "i" else float) for part in data.train)
    w = np.stack([data.start, 2 * data.start]).astype(float)
    batches = [list(rows) for rows in combinations(range(n), batch)]
    total = np.zeros_like(w)
    for rows in batches:
        drawn_X, drawn_y = (np.repeat(part[rows][None], 2, axis=0) for part in (X, y))
        total += together.loss_and_gradient(w, drawn_X, drawn_y)[1] ** 2
    found = perfect.expected_square(w, X, y, batch)
    np.testing.assert_allclose(found, total / len(batches), rtol=1e-9, atol=1e-15)


def test_with_its_own_statistics_it_is_adam():
    rates = (0.003, 0.01, 0.03)
    found = perfect.train("own", rates, (1, 2), 256, 3, schedules.cosine)
    usual = together.train("adam", rates, (1, 2), 256, 3, schedules.cosine).loss[..., -1]
    np.testing.assert_allclose(found, usual, rtol=1e-3)


def test_first_step_divides_by_the_root_of_the_expectation():
    """Of a run of one step: both perfect kinds take it from the same moment, Adam's own from one batch."""
    once = {
        kind: perfect.train(kind, (0.1,), (1,), together.TRAIN, 2, lambda steps: schedules.constant())[0, 0]
        for kind in perfect.KINDS
    }
    assert once["start"] == pytest.approx(
        once["perfect"], rel=1e-4
    )  # all examples: a batch is its expectation
    assert once["own"] == pytest.approx(once["perfect"], rel=1e-4)
    small = {
        kind: perfect.train(kind, (0.1,), (1,), 404, 1, lambda steps: schedules.constant())[0, 0]
        for kind in perfect.KINDS
    }
    assert small["start"] == pytest.approx(small["perfect"], rel=1e-4)
    assert abs(small["own"] / small["perfect"] - 1) > 1e-3
