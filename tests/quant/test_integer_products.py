"""Integer products against int64, against torch's own, and against the real numbers they stand for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys.core import generator
from mlsys.quant import calibrate, centred, dequantise, dequantised_product, product, quantise

quick = settings(max_examples=60, deadline=None, derandomize=True)

sizes = st.integers(1, 12)


def whole_numbers(rng: np.random.Generator, shape: tuple[int, int], dtype: str) -> np.ndarray:
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype, endpoint=True)


@quick
@given(st.integers(0, 2**32 - 1), sizes, sizes, sizes, st.sampled_from(["int8", "uint8"]), st.booleans())
def test_products_are_exact_with_every_zero_point(
    seed: int, n: int, k: int, m: int, dtype: str, channels: bool
) -> None:
    rng = generator(seed, "integer products")
    a, b = whole_numbers(rng, (n, k), dtype), whole_numbers(rng, (k, m), "int8")
    za, zb = rng.integers(-128, 256), rng.integers(-128, 128, size=m if channels else ())
    acc = product(a, b)
    assert acc.dtype == np.int32
    assert np.array_equal(acc, a.astype(np.int64) @ b.astype(np.int64))
    wide = (a.astype(np.int64) - za) @ (b.astype(np.int64) - zb)
    assert np.array_equal(centred(acc, a, b, za, zb), wide)
    ta, tb = torch.from_numpy(a), torch.from_numpy(b)
    assert torch.equal(product(ta, tb), torch.from_numpy(acc))
    assert torch.equal(centred(product(ta, tb), ta, tb, za, zb), torch.from_numpy(wide))


def test_the_longest_sums_fit_and_longer_ones_are_refused() -> None:
    a, b = np.full((1, 131071), -128, np.int8), np.full((131071, 1), -128, np.int8)
    assert product(a, b)[0, 0] == 131071 * 2**14
    with pytest.raises(
        ValueError, match="k must be <= 131071, so that int32 sums cannot overflow; got 131072"
    ):
        product(np.zeros((1, 131072), np.int8), np.zeros((131072, 1), np.int8))
    assert (
        product(np.full((1, 33025), 255, np.uint8), np.full((33025, 1), 255, np.uint8))[0, 0]
        == 33025 * 255**2
    )


def test_torch_s_int8_product_is_the_same() -> None:
    a, b = (torch.from_numpy(whole_numbers(generator(0), shape, "int8")) for shape in ((32, 64), (64, 16)))
    assert torch.equal(product(a, b), torch._int_mm(a, b))


@pytest.mark.parametrize("axis", [None, 1])
@pytest.mark.parametrize("scheme", ["symmetric", "signed"])
def test_the_real_product_is_that_of_the_dequantised_matrices(axis: int | None, scheme: str) -> None:
    rng = generator(3, "real product")
    A, B = rng.standard_normal((7, 40)) + 0.3, rng.standard_normal((40, 5)) * 10.0 ** np.arange(-2, 3)
    grid_a, grid_b = calibrate(A, scheme="unsigned"), calibrate(B, scheme=scheme, axis=axis)
    a, b = quantise(A, grid_a), quantise(B, grid_b)
    real = dequantise(a, grid_a).astype(np.float64) @ dequantise(b, grid_b).astype(np.float64)
    ours = dequantised_product(a, grid_a, b, grid_b)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, real, rtol=1e-6, atol=1e-6 * np.abs(real).max())
    # Each entry's error is a sum of k errors: |dA| |B| + |A| |dB| + |dA| |dB| with |dA| <= scale_a / 2.
    half_a, half_b = grid_a.scale / 2, np.broadcast_to(grid_b.scale / 2, 5)
    bound = half_a * np.abs(B).sum(0) + np.abs(A).sum(1)[:, None] * half_b + 40 * half_a * half_b
    assert (np.abs(ours - A @ B) <= bound * 1.0001).all()
    theirs = dequantised_product(torch.from_numpy(a), grid_a, torch.from_numpy(b), grid_b)
    assert np.array_equal(theirs.numpy(), ours)


def test_what_does_not_fit_is_named() -> None:
    i8 = np.zeros((2, 3), np.int8)
    with pytest.raises(TypeError, match="a must hold 8-bit integers; got float64"):
        product(np.zeros((2, 3)), i8)
    with pytest.raises(TypeError, match="one library"):
        product(i8, torch.zeros(3, 2, dtype=torch.int8))
    with pytest.raises(ValueError, match=r"a must be \(n, k\) and b \(k, m\)"):
        product(i8, i8)
    with pytest.raises(ValueError, match="a needs one scale"):
        dequantised_product(i8, calibrate(np.ones((2, 3)), axis=0), i8.T, calibrate(np.ones((3, 2))))
