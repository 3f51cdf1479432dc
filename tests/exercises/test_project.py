"""The project's oracle counts, keeps its data, and its target separates the methods."""

import numpy as np
import pytest
import torch

from mlsys.grading import practice
from mlsys.problems import grader, problem
from mlsys.problems.judging import judge
from mlsys.problems.ps1.grader.sparse_project import TARGET
from mlsys.problems.ps1.sparse_rows import BUDGET, ROWS, BudgetSpent, data, share_left

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


def test_what_is_served_shows_neither_seed_nor_rows_and_the_budget_cannot_be_set():
    served = GRADER.serve(CASE)
    assert set(served.given) == {"oracle"}
    asked = served.given["oracle"]
    assert [name for name in dir(asked) if name[0] != "_"] == ["d", "gradient", "left", "n"]
    assert not hasattr(asked, "__dict__")
    assert not [name for name in dir(asked) if isinstance(getattr(asked, name), np.ndarray)]
    for name in ("left", "gradient", "mine"):
        with pytest.raises(AttributeError):
            setattr(asked, name, 10**9)


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

    rows = data(CASE.given["seed"], CASE.given["d"])

    def share(adaptive, eta):
        with np.errstate(all="ignore"):
            return share_left(rows, TASK.drive(walk(adaptive, eta), GRADER.serve(CASE))["w"][0])

    rates = [share(False, eta) for eta in (0.003, 0.01, 0.02, 0.03, 0.05, 0.1)]
    assert not min(rates) < 1.5 * TARGET
    assert max(share(True, eta) for eta in (0.4, 1.0, 3.0)) < TARGET / 1.5


def said(w, left):
    return GRADER.judge(CASE, {"w": np.asarray(w)[None], "evaluations left": np.array(left)}, {})


def test_the_verdict_says_by_how_much_and_why():
    d = CASE.given["d"]
    zeros, poisoned = np.zeros(d), np.where(np.arange(d) < 3, np.nan, 0.0)
    assert said(zeros, 0).message == (
        "On other rows of the same kind the loss is 1 times that at w = 0; the target is 0.1."
    )
    assert f"{BUDGET // 2} of {BUDGET} evaluations were not used" in said(zeros, BUDGET // 2).message
    assert "It grew" in said(zeros + 10.0, 0).message
    assert f"Your weights contain nan, 3 of {d}: from 0/0" in said(poisoned, 0).message
    assert "overflows" in said(zeros + 1e300, 0).message
    good = TASK.drive(GRADER.reference.build("minimise"), GRADER.serve(CASE))["w"][0]
    passed = said(good, 0)
    assert passed.score == 1
    assert "On other rows of the same kind the loss is 0.0" in passed.message


@pytest.mark.parametrize(("eta", "said_of_it"), [(0.03, "3 times larger."), (30.0, "3 times smaller.")])
def test_a_rate_that_is_too_small_or_too_large_is_called_so(eta, said_of_it):
    source = GRADER.reference.source("minimise").replace("w -= g /", f"w -= {eta} * g /")
    scope = {"np": np}
    exec(source, scope)
    for seed in range(3):
        case = TASK.cases(np.random.default_rng(seed))[0]
        arrays = TASK.drive(scope["minimise"], GRADER.serve(case))
        verdict = GRADER.judge(case, arrays, {})
        assert verdict.score == 0
        assert f"try a rate {said_of_it}" in verdict.message


def test_where_neither_is_known_both_are_named():
    good = TASK.drive(GRADER.reference.build("minimise"), GRADER.serve(CASE))["w"][0]
    X, y = (half[ROWS:] for half in data(CASE.given["seed"], CASE.given["d"]))
    rare = np.where((X != 0).mean(0) < 0.1, good, 0.0)  # many features are left out: no rate explains that
    w = rare * (X @ rare @ y) / (X @ rare @ (X @ rare))
    assert "Try a rate 3 times larger, and one 3 times smaller." in said(w, 0).message
    assert "rate" not in said(np.zeros_like(w), 0).message


def test_weights_that_came_without_a_single_gradient_are_not_accepted():
    good = TASK.drive(GRADER.reference.build("minimise"), GRADER.serve(CASE))["w"][0]
    verdict = said(good, BUDGET)
    assert verdict.score == 0
    assert "not asked for a single gradient" in verdict.message


def test_an_answer_in_torch_without_a_seed_earns_the_same_each_time():
    def answer(oracle):
        w = torch.zeros(oracle.d, dtype=torch.float64)
        for _ in range(20):
            w -= 0.01 * torch.as_tensor(oracle.gradient(w, torch.randint(oracle.n, ())))
        return w

    first, second = (
        [v.message for _, v in judge(TASK, GRADER, answer, np.random.default_rng(0))] for _ in range(2)
    )
    assert first == second


def test_practice_is_of_the_same_kind_and_for_whom_it_is():
    asked, loss = practice("sparse.project", seed=3)
    assert (asked.left, asked.n) == (BUDGET, ROWS)
    assert loss(np.zeros(asked.d)) == 1
    assert loss(GRADER.reference.build("minimise")(asked)) < TARGET
    assert asked.left == 0
    one, other = (practice("sparse.project", seed)[0] for seed in (3, 4))
    assert (one.gradient(np.zeros(one.d), 0) != other.gradient(np.zeros(one.d), 0)).any()
    with pytest.raises(ValueError, match=r"polyak\.step needs no practice data"):
        practice("polyak.step")


def test_the_oracle_takes_tensors():
    served = oracle()
    w = torch.zeros(served.d, requires_grad=True)
    np.testing.assert_array_equal(served.gradient(w, 0), oracle().gradient(np.zeros(served.d), 0))
