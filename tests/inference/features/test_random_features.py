"""Random features: their explicit matrix, unbiased for the kernel, their rate, and which varies least."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import rbf_kernel

from mlsys.core import generator
from mlsys.inference.features import (
    KINDS,
    Fastfood,
    Transform,
    butterfly,
    fastfood,
    hadamard,
    orthogonal,
    rff,
)

SIZES = [(4, 8), (5, 6), (8, 40), (3, 24), (1, 2), (16, 10)]


@given(st.integers(0, 7), st.integers(0, 3))
@settings(deadline=None, derandomize=True)
def test_three_ways_to_one_walsh_hadamard_transform(power: int, seed: int) -> None:
    d = 1 << power
    X = generator(seed, "rows").standard_normal((3, d))
    H = scipy.linalg.hadamard(d)
    np.testing.assert_array_equal(hadamard(d), H)
    np.testing.assert_allclose(butterfly(X), X @ H, atol=1e-12)
    np.testing.assert_allclose(Transform(d)(X), X @ H, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("d", "D"), SIZES)
def test_features_are_those_of_the_explicit_matrix(kind: str, d: int, D: int) -> None:
    features = KINDS[kind](d, D, 0.7, generator(0, kind))
    X = generator(1).standard_normal((9, d))
    kept = X.copy()
    W = features.frequencies()
    assert W.shape == (D // 2, d)
    expected = np.sqrt(2 / D) * np.hstack([np.cos(X @ W.T), np.sin(X @ W.T)])
    np.testing.assert_allclose(features.transform(X), expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(X, kept)
    np.testing.assert_array_equal(
        features.transform(X), KINDS[kind](d, D, 0.7, generator(0, kind)).transform(X)
    )
    np.testing.assert_allclose(
        (features.transform(X) ** 2).sum(1), 1
    )  # cos**2 + sin**2: exactly 1 everywhere
    single = KINDS[kind](d, D, 0.7, generator(0, kind), np.float32).transform(X)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, atol=2e-5)


def test_many_rows_in_pieces_are_as_one_by_one() -> None:
    dense, rows = rff(8, 8, 1.0, generator(0)), generator(1).standard_normal((9, 8))
    at_once, dense.piece = dense.transform(rows), 16
    np.testing.assert_allclose(dense.transform(rows), at_once, atol=1e-14)
    features = fastfood(1000, 1024, 1e-3, generator(0))
    X = generator(1).standard_normal((70, 1000))  # pieces of 32, 32 and 6
    one_by_one = np.concatenate([features.transform(row[None]) for row in X])
    np.testing.assert_allclose(features.transform(X), one_by_one, atol=1e-13)
    assert features.transform(X[:0]).shape == (0, 1024)


def estimates(kind: str, d: int, D: int, draws: int, pairs: tuple, gamma: float = 0.5) -> np.ndarray:
    """z(x) . z(y) for each pair and draw: (draws, pairs)."""
    X, Y = pairs
    rng = generator(0, "draws", kind, str(d), str(D))
    out = []
    for _ in range(draws):
        features = KINDS[kind](d, D, gamma, rng)
        out.append((features.transform(X) * features.transform(Y)).sum(1))
    return np.array(out)


def pairs(d: int) -> tuple[np.ndarray, np.ndarray]:
    """Five pairs, 0.5 to 2.5 apart, in random directions from random places."""
    rng = generator(3, "pairs")
    X, step = rng.standard_normal((2, 5, d))
    return X, X + np.linspace(0.5, 2.5, 5)[:, None] * step / np.linalg.norm(step, axis=1, keepdims=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_kernel_is_met_on_average(kind: str) -> None:
    """z-scores of five pairs at two sizes and three kinds: |z| > 5 once in 60,000 runs, if all is right."""
    for d, D in ((4, 8), (6, 20)):
        X, Y = pairs(d)
        k = estimates(kind, d, D, 1500, (X, Y))
        exact = np.diag(rbf_kernel(X, Y, gamma=0.5))
        z = (k.mean(0) - exact) / (k.std(0, ddof=1) / np.sqrt(len(k)))
        assert abs(z).max() < 5


def test_without_its_lengths_fastfood_is_biased(monkeypatch: pytest.MonkeyPatch) -> None:
    """The classic slip, one length for a whole block, is seen by the test above."""
    d, D = 4, 8
    X, Y = pairs(d)
    rng, k = generator(0, "flat"), []
    for _ in range(1500):
        features = Fastfood(d, D, 0.5, rng)
        monkeypatch.setattr(features, "_scale", np.full_like(features._scale, 1 / np.sqrt(d)) * 1.0)
        normal = features._normal
        features._normal = normal / np.linalg.norm(normal) * np.sqrt(d)
        k.append((features.transform(X) * features.transform(Y)).sum(1))
    k = np.array(k)
    z = (k.mean(0) - np.diag(rbf_kernel(X, Y, gamma=0.5))) / (k.std(0, ddof=1) / np.sqrt(len(k)))
    assert abs(z).max() > 8


@pytest.mark.parametrize("kind", KINDS)
def test_the_error_falls_with_the_root_of_the_number(kind: str) -> None:
    """The slope of log error over log D is -1/2; 60 draws of five pairs a point."""
    X, Y = pairs(8)
    exact = np.diag(rbf_kernel(X, Y, gamma=0.5))
    numbers = np.array([32, 64, 128, 256, 512, 1024])
    error = [np.sqrt(((estimates(kind, 8, D, 60, (X, Y)) - exact) ** 2).mean()) for D in numbers]
    slope = np.polyfit(np.log(numbers), np.log(error), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.1)


def test_rff_has_its_variance_by_formula_and_right_angles_less() -> None:
    """Var = (1 - k**2)**2 / D for independent frequencies, k the kernel's value (Yu et al. 2016, lemma 1)."""
    d, D, draws = 16, 32, 3000
    X, Y = pairs(d)
    k = np.diag(rbf_kernel(X, Y, gamma=0.5))
    independent, angles = (estimates(kind, d, D, draws, (X, Y)) for kind in ("rff", "orthogonal"))
    exact = (1 - k**2) ** 2 / D
    relative = np.sqrt(10 / draws)  # deviation of a sample variance whose kurtosis is below 11
    np.testing.assert_allclose(independent.var(0, ddof=1), exact, rtol=5 * relative)
    ratio = angles.var(0, ddof=1) / exact  # 0.5 to 2.5 apart: the gain is of near points
    assert (ratio < [0.25, 0.3, 0.5, 0.85, 1 + 5 * relative]).all()


def test_frequencies_stand_at_right_angles_and_are_as_long_as_gaussian_ones() -> None:
    d = 8
    W = orthogonal(d, 4 * d, 0.5, generator(0)).frequencies()
    for block in (W[:d], W[d:]):
        gram = block @ block.T
        np.testing.assert_allclose(gram - np.diag(np.diag(gram)), 0, atol=1e-12)
    for make in KINDS.values():
        rng = generator(1, "lengths")
        squares = np.concatenate([(make(d, 2 * d, 0.5, rng).frequencies() ** 2).sum(1) for _ in range(1000)])
        assert abs(squares.mean() - d) < 5 * np.sqrt(2 * d / 8000)  # chi-squared with d degrees
        assert abs(squares.var() - 2 * d) < 5 * 2 * d * np.sqrt((2 + 12 / d) / 8000)


def test_what_is_kept_and_computed_is_counted() -> None:
    dense, fast = (make(4096, 4096, 1e-4, generator(0), np.float32) for make in (rff, fastfood))
    assert dense.multiply_adds() == 2048 * 4096
    assert dense.nbytes == 4 * 2048 * 4096
    assert fast.multiply_adds() == 4096 * (2 * 128 + 3)
    assert fast.nbytes == 4096 * (3 * 4 + 8) + 2 * 64 * 64 * 4


BAD = [
    (lambda: rff(4, 7, 1.0, generator(0)), ValueError, "D must be even.*got 7"),
    (lambda: fastfood(0, 8, 1.0, generator(0)), ValueError, "d must be >= 1; got 0"),
    (lambda: orthogonal(4, 8, 0.0, generator(0)), ValueError, "gamma must be > 0; got 0"),
    (lambda: rff(4, 8, 1.0, generator(0), np.int64), TypeError, "dtype must be float32 or float64; got int64"),
    (lambda: rff(4, 8, 1.0, generator(0)).transform(np.ones((2, 3))), ValueError, r"X must be \(n, 4\); got \(2, 3\)"),
    (lambda: rff(1, 8, 1.0, generator(0)).transform(np.array([[np.nan]])), ValueError, "X must be finite"),
    (lambda: butterfly(np.ones((1, 6))), ValueError, "n must be a power of two; got 6. Pad with zeros to 8"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "words"), BAD)
def test_bad_features_are_named(call, error, words) -> None:
    with pytest.raises(error, match=words):
        call()
