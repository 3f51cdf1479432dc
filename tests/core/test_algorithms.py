"""sgd and gradient_descent: what they draw, what they count, what they refuse, and that they change nothing."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from mlsys.core import generator, iterate
from mlsys.models import LeastSquares, Logistic, Quadratic, Rosenbrock, conditioned
from mlsys.optim import (
    Backtracking,
    ExactLineSearch,
    LineSearchError,
    Polyak,
    PolyakBound,
    PolyakEstimate,
    adagrad,
    adagrad_history,
    gradient_descent,
    gradient_rule,
    momentum,
    rmsprop,
    sgd,
)

RATES = {
    "fixed": 0.05,
    "polyak": Polyak(0.0),
    "estimate": PolyakEstimate(0.0),
    "bound": PolyakBound(-1.0),
    "exact": ExactLineSearch(),
    "backtracking": Backtracking(),
}


def regression(n: int = 10, d: int = 3) -> LeastSquares:
    rng = generator(0, "regression")
    return LeastSquares(rng.standard_normal((n, d)), rng.standard_normal(n))


class Counted(Rosenbrock):
    """Rosenbrock that counts what is asked of it."""

    values = gradients = 0

    def value(self, w, batch=None):
        self.values += 1
        return super().value(w)

    def gradient(self, w, batch=None):
        self.gradients += 1
        return super().gradient(w)


@pytest.mark.parametrize("name", RATES)
def test_each_step_reports_just_what_it_asked(name: str) -> None:
    f = Counted()
    rate = 1e-3 if name == "fixed" else RATES[name]
    for _, info in iterate(gradient_descent(f, rate), f.start, generator(0), 10):
        assert (f.values, f.gradients) == (info.f_evaluations, info.g_evaluations)
        assert info.terms == f.values + f.gradients
        f.values = f.gradients = 0


@pytest.mark.parametrize("name", RATES)
def test_a_step_is_pure(name: str) -> None:
    f = conditioned(7, 3, 0.3)
    algorithm = gradient_descent(f, RATES[name])
    x = np.array([1.0, -2.0, 3.0])
    x.flags.writeable = False
    state = algorithm.init(x)
    for _ in range(5):
        one, info = algorithm.step(generator(0), state)
        two, _ = algorithm.step(generator(0), state)
        np.testing.assert_array_equal(one.x, two.x)
        assert one.memory == two.memory
        np.testing.assert_allclose(one.x, state.x - info.alpha * info.g, rtol=1e-15)
        assert one.t == state.t + 1
        state = one


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_zero_gradient_stays_and_the_dtype_is_kept(name: str, dtype) -> None:
    f = Quadratic(np.eye(2))
    (state, info), *_ = iterate(gradient_descent(f, RATES[name]), np.zeros(2, dtype), generator(0), 1)
    assert (info.alpha, info.accepted, state.t) == (0, True, 1)
    assert not state.x.any()
    (state, info), *_ = iterate(gradient_descent(f, RATES[name]), np.ones(2, dtype), generator(0), 1)
    assert info.alpha > 0
    assert state.x.dtype == dtype


def test_batches_are_drawn_with_or_without_replacement() -> None:
    f = regression()
    batches = [i.batch for _, i in iterate(sgd(f, gradient_rule(), 4), np.zeros(3), generator(0), 200)]
    assert {len(b) for b in batches} == {4}
    assert any(len(set(b.tolist())) < 4 for b in batches)
    np.testing.assert_allclose(np.bincount(np.concatenate(batches), minlength=10) / 80, 1, atol=0.4)
    epochs = [
        i.batch for _, i in iterate(sgd(f, gradient_rule(), 4, replace=False), np.zeros(3), generator(0), 9)
    ]
    assert [len(b) for b in epochs] == [4, 4, 2] * 3
    orders = [np.concatenate(epochs[i : i + 3]).tolist() for i in (0, 3, 6)]
    assert [sorted(order) for order in orders] == [list(range(10))] * 3
    assert orders[0] != orders[1] != orders[2]
    (_, info), *_ = iterate(sgd(f, gradient_rule()), np.zeros(3), generator(0), 1)
    assert info.batch is None


def test_the_sparse_path_is_the_dense_path() -> None:
    rng = generator(0, "sparse")
    X = scipy.sparse.random(40, 20, 0.1, format="csr", random_state=3)
    f = Logistic(X, rng.integers(0, 2, 40))
    for rule in (gradient_rule(0.5), adagrad(0.1)):
        for replace in (True, False):
            ends = []
            for sparse in (True, False):
                algorithm = sgd(f, rule, 4, replace, sparse)
                *_, (state, info) = iterate(algorithm, np.zeros(20), generator(1), 50)
                ends.append(state.x)
                assert hasattr(info.g, "rows") == sparse
            np.testing.assert_allclose(*ends, rtol=1e-12, atol=1e-15)


def test_anything_with_init_and_step_is_a_rule() -> None:
    f, ends = regression(), []
    for rule in (adagrad(0.3), adagrad_history(0.3)):
        *_, (state, _) = iterate(sgd(f, rule, 2), np.ones(3), generator(5), 30)
        ends.append(state.x)
    np.testing.assert_array_equal(*ends)


class Cliff:
    """f = w[0] until w[0] falls below 0, where value or gradient turn into `beyond`."""

    n = 1

    def __init__(self, value=None, gradient=None) -> None:
        self.beyond = value, gradient

    def value(self, w, batch=None):
        return float(w[0]) if w[0] >= 0 or self.beyond[0] is None else self.beyond[0]

    def gradient(self, w, batch=None):
        g = np.eye(len(w))[0]
        if w[0] < 0 and self.beyond[1] is not None:
            g[-1] = self.beyond[1]
        return g


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize(
    "algorithm",
    [sgd(Cliff(), momentum(0.4)), gradient_descent(Cliff(), 0.4), sgd(Cliff(), rmsprop(0.04))],
    ids=["momentum", "descent", "rmsprop"],
)
def test_a_gradient_that_is_not_finite_is_refused_by_the_number_of_its_step(algorithm, bad: float) -> None:
    """Nothing is lost: the state before the step is as it was, and can go on with a better gradient."""
    f = Cliff(gradient=bad)
    algorithm = type(algorithm)(f, getattr(algorithm, "rule", None) or algorithm.rate)
    state = algorithm.init(np.array([1.0, 5.0]))
    steps = 0
    while state.x[0] >= 0:
        state, _ = algorithm.step(generator(0), state)
        steps += 1
    before = [np.copy(part) for part in (state.x, *(state[1][1:] if algorithm.__class__ is sgd else ()))]
    with pytest.raises(
        FloatingPointError, match=rf"1 of 2 entries .* at step {steps + 1}, the first g\[1\] = {bad}"
    ):
        algorithm.step(generator(0), state)
    after = [state.x, *(state[1][1:] if algorithm.__class__ is sgd else ())]
    for one, two in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("rate", [Polyak(0.0), Backtracking(start=4.0)], ids=["polyak", "backtracking"])
def test_an_objective_that_is_nan_is_refused(rate) -> None:
    f = Cliff(value=np.nan)
    algorithm = gradient_descent(f, rate)
    state = algorithm.init(np.array([-1.0]))
    with pytest.raises(FloatingPointError, match=r"f\(x\) is nan at step 1; the state before it is intact"):
        algorithm.step(generator(0), state)
    if isinstance(rate, Backtracking):
        with pytest.raises(FloatingPointError, match=r"f\(x - 4 \* g\) is nan at step 1"):
            algorithm.step(generator(0), algorithm.init(np.array([1.0])))


def test_a_search_without_end_or_budget_says_so() -> None:
    downhill = Cliff()
    state = gradient_descent(downhill, ExactLineSearch()).init(np.ones(1))
    with pytest.raises(
        LineSearchError, match="f still falls after 60 doublings; it may have no minimum at step 1"
    ):
        gradient_descent(downhill, ExactLineSearch()).step(generator(0), state)
    f = conditioned(1e6)
    algorithm = gradient_descent(f, Backtracking(start=1.0, budget=3))
    with pytest.raises(LineSearchError, match=r"start = 1 and its 3 shrinks is accepted .*alpha = 0\.125"):
        algorithm.step(generator(0), algorithm.init(np.ones(2)))
    algorithm = gradient_descent(Rosenbrock(), ExactLineSearch(budget=2))
    with pytest.raises(LineSearchError, match="no step is downhill after 2 halvings"):
        algorithm.step(generator(0), algorithm.init(Rosenbrock().start))


def test_a_minimum_that_is_none_is_an_error() -> None:
    f = conditioned(3)
    algorithm = gradient_descent(f, Polyak(1.0))
    with pytest.raises(ValueError, match=r"f_star must be the minimum of f; got 1\.0, but f is 0\.02"):
        algorithm.step(generator(0), algorithm.init(np.array([0.1, 0.1])))
    algorithm = gradient_descent(f, PolyakBound(1.0))
    with pytest.raises(ValueError, match=r"bound must be <= the minimum of f; got 1\.0"):
        algorithm.step(generator(0), algorithm.init(np.array([0.1, 0.1])))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda f: sgd(f, gradient_rule(), 0), ValueError, "batch_size must be >= 1; got 0"),
        (lambda f: sgd(f, gradient_rule(), 2.5), TypeError, r"batch_size must be a whole number; got 2\.5"),
        (lambda f: sgd(f, gradient_rule(), 11, False), ValueError, "batch_size must be <= n = 10 without"),
        (
            lambda f: sgd(conditioned(2), gradient_rule(), sparse=True),
            TypeError,
            "Quadratic has no row_sparse",
        ),
        (lambda f: gradient_descent(f, -0.1), ValueError, r"rate must be > 0; got -0\.1"),
        (lambda f: gradient_descent(f, "fast"), TypeError, "rate must be a real number; got 'fast'"),
        (lambda f: gradient_descent(f, 0.1, 2, "some"), ValueError, 'search must be "batch" or "full"'),
        (lambda f: Backtracking(c=1.0), ValueError, r"c must lie in \[0, 1\); got 1\.0"),
        (lambda f: Backtracking(c=0.0), ValueError, "c must be > 0"),
        (lambda f: Backtracking(shrink=1.0), ValueError, "shrink must lie in"),
        (lambda f: Backtracking(start=0), ValueError, "start must be > 0"),
        (lambda f: Backtracking(budget=-1), ValueError, "budget must be >= 0"),
        (lambda f: ExactLineSearch(start=-1), ValueError, "start must be > 0"),
        (lambda f: Polyak(float("nan")), ValueError, "f_star must be finite"),
        (lambda f: PolyakEstimate(None), TypeError, "estimate must be a real number"),
        (lambda f: PolyakBound(0, epoch=0), ValueError, "epoch must be >= 1"),
        (lambda f: adagrad_history(-1), ValueError, "eta must be > 0; got -1"),
    ],
)
def test_bad_arguments_are_named(make, error, words) -> None:
    with pytest.raises(error, match=words):
        make(regression())


def test_a_rate_too_large_ends_in_an_error_not_in_numpy_warnings() -> None:
    f = Rosenbrock()
    for algorithm in (gradient_descent(f, 0.05), sgd(f, gradient_rule(0.05))):
        with pytest.raises(
            FloatingPointError, match=r"not finite at step \d+, .* Often the rate is too large"
        ):
            list(iterate(algorithm, f.start, generator(0), 100))
