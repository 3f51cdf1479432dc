"""Why a line search does not suit SGD: on the batch it overfits the batch, on everything it costs everything."""

from __future__ import annotations

import numpy as np
import pytest

from mlsys.core import generator, iterate
from mlsys.models import LeastSquares, Logistic
from mlsys.optim import Backtracking, ExactLineSearch, LineSearchError, gradient_descent, gradient_rule, sgd


def noisy_regression(n: int = 400, d: int = 5) -> LeastSquares:
    rng = generator(2, "noisy-regression")
    X = rng.standard_normal((n, d))
    return LeastSquares(X, X @ np.ones(d) + rng.standard_normal(n))


def run(algorithm, d: int, steps: int) -> tuple[np.ndarray, list]:
    pairs = list(iterate(algorithm, np.zeros(d), generator(0), steps))
    return pairs[-1][0].x, [info for _, info in pairs]


def test_searched_on_the_batch_the_objective_stays_far_above_a_small_fixed_rate() -> None:
    """A step chosen on two of 400 terms fits those two: the excess over f* is many times that of SGD."""
    f = noisy_regression()

    def excess(algorithm) -> float:
        points = [state.x for state, _ in iterate(algorithm, np.zeros(f.d), generator(0), 400)]
        return float(np.mean([f.value(w) for w in points[200:]])) - f.f_star

    fixed = excess(sgd(f, gradient_rule(0.02), batch_size=2))
    for rate in (ExactLineSearch(), Backtracking()):
        assert excess(gradient_descent(f, rate, batch_size=2)) > 10 * fixed


@pytest.mark.parametrize("rate", [Backtracking(), ExactLineSearch()], ids=["backtracking", "exact"])
def test_searched_on_everything_a_step_costs_more_than_a_hundred_of_sgd(rate) -> None:
    f = noisy_regression()
    _, infos = run(gradient_descent(f, rate, batch_size=2, search="full"), f.d, 50)
    assert sum(info.terms for info in infos) / 50 >= 100 * 2


def test_near_the_minimum_a_batch_s_direction_often_leads_uphill_and_the_search_says_so() -> None:
    f = noisy_regression()
    algorithm = gradient_descent(f, ExactLineSearch(), batch_size=2, search="full")
    refused = 0
    state = algorithm.init(f.w_star + 0.01)
    rng = generator(3)
    for _ in range(100):
        new, info = algorithm.step(rng, state)
        if not info.accepted:
            refused += 1
            assert info.alpha == 0
            assert new.x is state.x
        else:
            assert f.value(new.x) < f.value(state.x)
        state = new
    assert 20 < refused < 100


def test_on_the_full_gradient_the_same_failure_is_an_error_that_teaches() -> None:
    class Backwards(LeastSquares):
        def gradient(self, w, batch=None):
            return -super().gradient(w, batch)

        curvature_along = None

    right = noisy_regression()
    f = Backwards(right.X, right.y)
    for rate in (Backtracking(), ExactLineSearch()):
        algorithm = gradient_descent(f, rate)
        state = algorithm.init(np.zeros(f.d))
        with pytest.raises(
            LineSearchError, match=r"at step 1: with alpha = .*compare it with \(f\(w \+ h e\)"
        ):
            algorithm.step(generator(0), state)
        np.testing.assert_array_equal(state.x, np.zeros(f.d))
        assert state.t == 0


def test_the_terms_touched_are_counted() -> None:
    f = noisy_regression()
    for search, expected in (("batch", lambda e: 3 * (1 + e)), ("full", lambda e: 3 + 400 * e)):
        algorithm = gradient_descent(f, Backtracking(start=0.1), batch_size=3, search=search)
        _, (info,) = run(algorithm, f.d, 1)
        assert info.g_evaluations == 1
        assert info.terms == expected(info.f_evaluations)
    for search, expected in (
        ("batch", 3 * 2),
        ("full", 3 + 2 * 400),
    ):  # exact: one product; full also a slope
        _, (info,) = run(gradient_descent(f, ExactLineSearch(), batch_size=3, search=search), f.d, 1)
        assert info.f_evaluations == 0
        assert info.terms == expected
    _, (info,) = run(sgd_like := gradient_descent(f, 0.1, batch_size=3), f.d, 1)
    assert (info.f_evaluations, info.g_evaluations, info.terms, info.f) == (0, 1, 3, None)
    assert sgd_like.batch_size == 3


@pytest.mark.parametrize("rate", [Backtracking(), ExactLineSearch()], ids=["backtracking", "exact"])
def test_at_the_last_digit_of_f_a_search_rests_instead_of_failing(rate) -> None:
    """f* is not zero, so near w* no step changes f: that is convergence, not a wrong direction."""
    f = Logistic(*separated(), l2=0.1)
    run_ = list(iterate(gradient_descent(f, rate), np.zeros(f.d), generator(0), 400))
    infos = [info for _, info in run_]
    assert infos[-1].alpha == 0
    assert run_[-1][0].memory is None or run_[-1][0].memory > 0  # a later search must not begin at zero
    assert np.linalg.norm(infos[-1].g) < 1e-6


def separated() -> tuple[np.ndarray, np.ndarray]:
    X = generator(4, "separated").standard_normal((50, 3))
    return X, (X[:, 0] > 0).astype(float)
