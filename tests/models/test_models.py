"""Every objective: its gradient against differences, its batches, its dtypes, its constants."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
import torch

from mlsys.core import generator
from mlsys.models import MLP, LeastSquares, Logistic, Plateau, Quadratic, Rosenbrock, conditioned, torch_mlp


def features(n: int = 30, d: int = 6) -> np.ndarray:
    return generator(0, "features").standard_normal((n, d)) * np.geomspace(0.1, 3, d)


def labels(n: int = 30, classes: int = 2) -> np.ndarray:
    return generator(0, "labels").integers(0, classes, n)


def sparse_features(n: int = 30, d: int = 6) -> scipy.sparse.csr_matrix:
    return scipy.sparse.csr_matrix(features(n, d) * (generator(1).random((n, d)) < 0.3))


MODELS = {
    "quadratic": (lambda: Quadratic([[2.0, 0.3], [0.3, 1.0]], [1.0, -1.0], 3.0), 2),
    "conditioned": (lambda: conditioned(50, 4, 0.3), 4),
    "rosenbrock": (Rosenbrock, 2),
    "rosenbrock-5": (lambda: Rosenbrock(5, 10), 5),
    "plateau": (Plateau, 2),
    "least-squares": (lambda: LeastSquares(features(), labels() + 0.5, 0.1), 6),
    "least-squares-sparse": (lambda: LeastSquares(sparse_features(), labels() + 0.5, 0.1), 6),
    "logistic": (lambda: Logistic(features(), labels(), 0.1), 6),
    "logistic-sparse": (lambda: Logistic(sparse_features(), labels()), 6),
    "softmax": (lambda: MLP(features(), labels(30, 3), ()), 21),
    "mlp": (lambda: MLP(features(), labels(30, 3), (5, 4), 0.01), 35 + 24 + 15),
}
BATCHES = [None, np.array([3]), np.array([0, 7, 7, 29])]
REGRESSIONS = [name for name in MODELS if "least" in name or "logistic" in name]


def point(name: str, seed: int = 0) -> np.ndarray:
    return generator(seed, name).standard_normal(MODELS[name][1])


@pytest.mark.parametrize("name", MODELS)
def test_gradients_agree_with_central_differences(name: str) -> None:
    f = MODELS[name][0]()
    places = [point(name, seed) for seed in (1, 2)]
    if name == "plateau":
        places.append(f.start + 0.1)
    for w in places:
        for batch in BATCHES if f.n > 1 else [None]:
            g = f.gradient(w, batch)
            h = 1e-5
            differences = [
                (f.value(w + h * e, batch) - f.value(w - h * e, batch)) / (2 * h) for e in np.eye(len(w))
            ]
            np.testing.assert_allclose(g, differences, rtol=1e-6, atol=1e-7 * max(1, abs(g).max()))


@pytest.mark.parametrize("name", MODELS)
def test_the_gradient_has_the_dtype_of_w_and_float32_is_near_float64(name: str) -> None:
    f, w = MODELS[name][0](), point(name).astype(np.float32)
    g = f.gradient(w)
    assert g.dtype == np.float32
    exact = f.gradient(w.astype(float))
    assert exact.dtype == np.float64
    np.testing.assert_allclose(g, exact, rtol=1e-5, atol=1e-5 * abs(exact).max())
    assert type(f.value(w)) is float
    assert f.value(w) == pytest.approx(f.value(w.astype(float)), rel=1e-5)


@pytest.mark.parametrize("make", [LeastSquares, Logistic, lambda X, y: MLP(X, y.astype(int), (4,))])
def test_float32_features_stay_float32(make) -> None:
    X, y = features().astype(np.float32), labels().astype(np.float32)
    f, g = make(X, y), make(X.astype(float), y.astype(float))
    w = np.linspace(-1, 1, f.d)
    assert f.gradient(w.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(f.gradient(w.astype(np.float32)), g.gradient(w), rtol=1e-4, atol=1e-5)
    assert f.X.dtype == np.float32


@pytest.mark.parametrize("name", [n for n in MODELS if MODELS[n][0]().n > 1])
def test_the_whole_is_the_mean_of_its_terms(name: str) -> None:
    f, w = MODELS[name][0](), point(name)
    each = [np.array([i]) for i in range(f.n)]
    np.testing.assert_allclose(
        np.mean([f.gradient(w, i) for i in each], axis=0), f.gradient(w), rtol=1e-10, atol=1e-14
    )
    assert np.mean([f.value(w, i) for i in each]) == pytest.approx(f.value(w), rel=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_nothing_is_mutated(name: str) -> None:
    f, w = MODELS[name][0](), point(name)
    w.flags.writeable = False
    one = f.gradient(w), f.value(w)
    f.gradient(w)[:] = 7
    np.testing.assert_array_equal(one[0], f.gradient(w))
    assert one[1] == f.value(w)


@pytest.mark.parametrize("name", [n for n in MODELS if n not in ("logistic-sparse", "softmax", "mlp")])
def test_the_minimum_is_where_it_is_said_to_be(name: str) -> None:
    f = MODELS[name][0]()
    assert f.value(f.w_star) == pytest.approx(f.f_star, abs=1e-14)
    assert abs(f.gradient(f.w_star)).max() < 1e-9
    for direction in generator(2).standard_normal((20, len(f.w_star))):
        assert f.value(f.w_star + 0.1 * direction) > f.f_star


@pytest.mark.parametrize("name", ["quadratic", "conditioned", *REGRESSIONS])
def test_L_and_mu_bound_the_curvature(name: str) -> None:
    f = MODELS[name][0]()
    rng = generator(3)
    for _ in range(200):
        a, b = rng.standard_normal((2, MODELS[name][1]))
        curvature = (f.gradient(a) - f.gradient(b)) @ (a - b) / ((a - b) @ (a - b))
        assert f.mu * (1 - 1e-9) <= curvature <= f.L * (1 + 1e-9)


def test_constants_of_quadratics_and_least_squares_are_attained() -> None:
    f = conditioned(1000, 5, 0.2)
    assert f.L / f.mu == pytest.approx(1000, rel=1e-9)
    for g in (
        f,
        LeastSquares(features(), labels() + 0.0),
        LeastSquares(sparse_features(), labels() + 0.0, 0.2),
    ):
        d = len(g.w_star)
        hessian = np.array([g.gradient(g.w_star + e) - g.gradient(g.w_star) for e in np.eye(d)])
        values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
        np.testing.assert_allclose([g.mu, g.L], values[[0, -1]], rtol=1e-9, atol=1e-12)
        assert g.curvature_along(vectors[:, -1]) == pytest.approx(g.L, rel=1e-9)
    logistic = Logistic(features(), labels(), 0.1)  # steepest at w = 0, where sigmoid' = 1 / 4
    top = np.linalg.svd(logistic.X)[2][0]
    slope = (logistic.gradient(1e-5 * top) - logistic.gradient(-1e-5 * top)) @ top / 2e-5
    assert slope == pytest.approx(logistic.L, rel=1e-8)
    wide = LeastSquares(features(4, 6), np.ones(4))
    assert wide.mu == 0
    np.testing.assert_allclose(wide.predict(wide.w_star), 1, rtol=1e-10)  # the shortest of many exact fits
    null = np.linalg.svd(wide.X)[2][4:]
    np.testing.assert_allclose(null @ wide.w_star, 0, atol=1e-10)


def test_the_largest_curvature_of_a_big_sparse_set_comes_without_the_dense_matrix(monkeypatch) -> None:
    import mlsys.models.linear as linear

    f = Logistic(sparse_features(60, 20), labels(60), 0.1)
    expected = f.L
    monkeypatch.setattr(linear, "DENSE_LIMIT", 5)
    assert pytest.approx(expected, rel=1e-9) == Logistic(f.X, f.y, 0.1).L


@pytest.mark.parametrize("kind", [LeastSquares, Logistic])
def test_sparse_and_dense_features_are_the_same_model(kind) -> None:
    X, y, w = sparse_features(), labels() + 0.0, np.linspace(-1, 1, 6)
    sparse, dense = kind(X, y), kind(X.toarray(), y)
    for batch in BATCHES:
        assert sparse.value(w, batch) == pytest.approx(dense.value(w, batch), rel=1e-13)
        expected = dense.gradient(w, batch)
        np.testing.assert_allclose(sparse.gradient(w, batch), expected, rtol=1e-12, atol=1e-15)
        for f in (sparse, dense):
            g = f.row_sparse_gradient(w, batch).check()
            np.testing.assert_allclose(g.dense(), expected, rtol=1e-12, atol=1e-15)
            touched = np.flatnonzero(abs(X[batch] if batch is not None else X).sum(0))
            np.testing.assert_array_equal(g.rows, touched)
        assert sparse.row_sparse_gradient(w.astype(np.float32), batch).values.dtype == np.float32
    assert kind(scipy.sparse.coo_matrix(X), y).gradient(w).tolist() == sparse.gradient(w).tolist()


def test_logistic_does_not_overflow_and_knows_its_accuracy() -> None:
    f = Logistic(np.array([[1e4], [-1e4]]), np.array([1, 0]))
    assert f.value(np.array([1.0])) == 0
    assert f.value(np.array([-1.0])) == 1e4
    assert f.gradient(np.array([-1.0])).tolist() == [-1e4]
    assert f.accuracy(np.array([1.0])) == 1
    assert f.accuracy(np.array([-1.0])) == 0


@pytest.mark.parametrize("hidden", [(), (7,), (6, 5)])
def test_the_mlp_is_torch_s(hidden: tuple[int, ...]) -> None:
    X, y = features(), labels(30, 4)
    f = MLP(X, y, hidden)
    w = f.start(generator(0))
    module = torch_mlp(f.sizes).double()
    torch.nn.utils.vector_to_parameters(torch.from_numpy(w), module.parameters())
    for batch in BATCHES:
        rows = slice(None) if batch is None else batch
        scores = module(torch.from_numpy(X[rows]))
        loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(y[rows]))
        module.zero_grad()
        loss.backward()
        theirs = torch.nn.utils.parameters_to_vector([p.grad for p in module.parameters()]).numpy()
        np.testing.assert_allclose(f.logits(w, X[rows]), scores.detach().numpy(), rtol=1e-12, atol=1e-13)
        assert f.value(w, batch) == pytest.approx(loss.item(), rel=1e-12)
        np.testing.assert_allclose(f.gradient(w, batch), theirs, rtol=1e-10, atol=1e-14)


def test_the_mlp_starts_at_chance_and_learns() -> None:
    from mlsys.core import iterate
    from mlsys.data import load
    from mlsys.optim import adam, sgd

    train, test = load("digits").split()
    f = MLP(train.X, train.y, (32,))
    start = f.start(generator(0))
    assert f.value(start) == pytest.approx(np.log(10), abs=0.3)
    np.testing.assert_array_equal(start, f.start(generator(0)))
    *_, (state, _) = iterate(sgd(f, adam(0.01), 32, replace=False), start, generator(1), 400)
    assert f.accuracy(state.x, test.X, test.y) > 0.93


BAD = [
    (lambda: Quadratic(np.ones((2, 3))), ValueError, r"A must be square; got shape \(2, 3\)"),
    (lambda: Quadratic([[1.0, 2.0], [0.0, 1.0]]), ValueError, r"A\[0,1\]=2 but A\[1,0\]=0\. Pass \(A \+ A\.T\) / 2"),
    (lambda: Quadratic([[1.0, 0.0], [0.0, -1.0]]), ValueError, "no negative eigenvalue; its smallest is -1"),
    (lambda: Quadratic(np.eye(2), np.ones(3)), ValueError, r"w_star must have shape \(2,\); got \(3,\)"),
    (lambda: conditioned(0.5), ValueError, "kappa must be >= 1; got 0.5"),
    (lambda: Rosenbrock(1), ValueError, "d must be >= 2; got 1"),
    (lambda: Rosenbrock(b=-1), ValueError, "b must be > 0; got -1"),
    (lambda: Plateau((1.0, -1.0)), ValueError, "scales must be > 0; got -1.0"),
    (lambda: LeastSquares(np.ones((3, 2), int), np.ones(3)), TypeError, r"X must be \(n, d\) floats; .*int64"),
    (lambda: LeastSquares(np.ones((3, 2)), np.ones(4)), ValueError, r"y must have shape \(3,\).*got \(4,\)"),
    (lambda: LeastSquares(np.ones((3, 2)), np.ones(3), -1), ValueError, "l2 must be >= 0; got -1"),
    (lambda: Logistic(np.ones((2, 2)), np.array([-1, 1])), ValueError, r"labels 0 and 1; got -1\. .*\(y \+ 1\) / 2"),
    (lambda: Logistic(np.ones((2, 2)), np.array([0, 1])).f_star, ValueError, "l2 must be > 0 to know the minimum"),
    (
        lambda: Logistic(np.ones((2, 2)), np.array([0, 1]), 0.1).row_sparse_gradient(np.ones(2)),
        ValueError, "l2 must be 0 for a row-sparse gradient; got 0.1",
    ),
    (lambda: MLP(np.ones((3, 2)), np.ones(3)), ValueError, r"y must be \(3,\) whole labels .* dtype float64"),
    (lambda: MLP(np.ones((3, 2)), np.array([0, -1, 1])), ValueError, "whole labels >= 0"),
    (lambda: MLP(np.ones((3, 2)), np.array([0, 1, 1]), (0,)), ValueError, "hidden must be >= 1; got 0"),
    (lambda: torch_mlp((3,)), ValueError, r"sizes must name the inputs and the classes at least; got \(3,\)"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "error", "words"), BAD)
def test_bad_arguments_are_named(make, error, words) -> None:
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize("name", MODELS)
def test_a_point_that_does_not_fit_is_refused(name: str) -> None:
    f, d = MODELS[name][0](), MODELS[name][1]
    for ask in (f.value, f.gradient):
        with pytest.raises(ValueError, match=rf"w must have shape \({d},\).*; got \({d + 1},\)"):
            ask(np.ones(d + 1))
        with pytest.raises(TypeError, match="w must be a numpy array of floats; got dtype int64"):
            ask(np.ones(d, int))
        with pytest.raises(TypeError, match="got list"):
            ask([1.0] * d)
