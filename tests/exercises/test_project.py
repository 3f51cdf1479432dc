"""The project's oracle counts, keeps its data, and its target separates the methods."""

import numpy as np
import pytest

from mlsys.problems import grader, problem
from mlsys.problems.ps1.grader.sparse_project import (
    BUDGET,
    ROWS,
    TARGET,
    BudgetSpent,
    Oracle,
    data,
    share_left,
)

TASK, GRADER = problem("sparse.project"), grader("sparse.project")
CASE = TASK.cases(np.random.default_rng(7))[0]


def oracle():
    return GRADER.serve(CASE).given["oracle"]


def test_each_row_costs_one_and_the_budget_holds():
    served = oracle()
    w = np.zeros(served.d)
    served.gradient(w, 3)
    served.gradient(w, [1, 2, 3])
    assert served.left == BUDGET - 4
    with pytest.raises(
        BudgetSpent, match=f"{BUDGET - 4} of {BUDGET} evaluations are left, {BUDGET} were asked for"
    ):
        served.gradient(w, [0] * BUDGET)
    assert served.left == BUDGET - 4


def test_gradients_are_those_of_the_loss():
    X, y = data(CASE.given["seed"], CASE.given["d"])
    w = np.random.default_rng(0).normal(size=X.shape[1])
    h = 1e-6 * np.eye(len(w))[5]

    def loss(w, rows):
        return np.mean((X[rows] @ w - y[rows]) ** 2) / 2

    for rows in (4, [4, 9, 11]):
        g = oracle().gradient(w, rows)
        assert g.shape == w.shape
        np.testing.assert_allclose(g[5], (loss(w + h, rows) - loss(w - h, rows)) / 2e-6, rtol=1e-5, atol=1e-7)
    mean = np.mean([oracle().gradient(w, i) for i in (4, 9, 11)], axis=0)
    np.testing.assert_allclose(oracle().gradient(w, [4, 9, 11]), mean, atol=1e-12)


@pytest.mark.parametrize(
    ("w", "i", "error"),
    [
        (np.zeros(3), 0, ValueError),
        (None, 0.5, IndexError),
        (None, [], IndexError),
        (None, ROWS, IndexError),
        (None, [[1]], IndexError),
    ],
)
def test_unfit_questions_are_refused_and_free(w, i, error):
    served = oracle()
    with pytest.raises(error):
        served.gradient(np.zeros(served.d) if w is None else w, i)
    assert served.left == BUDGET


def test_what_is_served_holds_neither_seed_nor_held_out_rows():
    served = GRADER.serve(CASE)
    assert set(served.given) == {"oracle"}
    assert all(len(rows) == ROWS for rows in (served.given["oracle"]._X, served.given["oracle"]._y))


def test_rows_are_sparse_and_in_different_units():
    X, _ = data(CASE.given["seed"], CASE.given["d"])
    assert (X != 0).mean() < 0.15
    units = np.abs(X).max(axis=0)
    assert 10 < units.max() / units[units > 0].min() < 26


def test_no_single_rate_reaches_the_target_and_many_of_adagrads_do():
    def walk(adaptive, eta):
        def minimise(oracle):
            rng = np.random.default_rng(3)
            w, r = np.zeros(oracle.d), np.zeros(oracle.d)
            while oracle.left:
                g = oracle.gradient(w, rng.integers(oracle.n))
                r += g * g
                w = w - (eta * g / np.sqrt(r + 1e-12) if adaptive else eta * g)
            return w

        return minimise

    def share(adaptive, eta):
        with np.errstate(all="ignore"):
            return share_left(CASE, TASK.drive(walk(adaptive, eta), GRADER.serve(CASE))["w"][0])

    rates = [share(False, eta) for eta in (0.003, 0.01, 0.02, 0.03, 0.05, 0.1)]
    assert not min(rates) < 1.5 * TARGET
    assert max(share(True, eta) for eta in (0.4, 1.0, 3.0)) < TARGET / 1.5


def test_an_answer_that_leaves_the_budget_unused_is_told():
    verdict = GRADER.judge(
        CASE, {"w": np.zeros((1, CASE.given["d"])), "evaluations left": np.array(BUDGET)}, {}
    )
    assert verdict.score == 0
    assert f"{BUDGET} of {BUDGET} evaluations were not used" in verdict.message


def test_the_oracle_takes_tensors():
    import torch

    served = Oracle(data(CASE.given["seed"], CASE.given["d"]))
    w = torch.zeros(served.d, requires_grad=True)
    np.testing.assert_array_equal(served.gradient(w, 0), oracle().gradient(np.zeros(served.d), 0))
