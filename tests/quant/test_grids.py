"""Quantisers held to torch bit for bit, and to what theory says of their error."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlsys.core import generator
from mlsys.quant import Grid, calibrate, dequantise, grid_of, levels, quantise
from mlsys.quant.grid import along

quick = settings(max_examples=60, deadline=None, derandomize=True)

# torch's own tensors of quantised dtypes are on their way out; while they are there they are the peer.
pytestmark = pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor, torch.quantize_per_channel")

SCHEMES = ("symmetric", "signed", "unsigned")
magnitudes = st.floats(2.0**-100, 2.0**100, width=32)
numbers = st.floats(-1, 1, width=32)


def on_both(x: np.ndarray, grid: Grid) -> np.ndarray:
    """The levels, of which NumPy and torch must say the same."""
    q = quantise(x, grid)
    assert np.array_equal(quantise(torch.from_numpy(x), grid).numpy(), q)
    assert np.array_equal(dequantise(torch.from_numpy(q), grid).numpy(), dequantise(q, grid), equal_nan=False)
    return q


@quick
@given(
    arrays.arrays(np.float64, st.integers(1, 40), elements=numbers),
    magnitudes,
    st.integers(2, 16),
    st.sampled_from(SCHEMES),
)
def test_the_error_inside_the_range_is_at_most_half_a_step(
    x: np.ndarray, size: float, bits: int, scheme: str
) -> None:
    x = x * size
    grid = calibrate(x, bits, scheme)
    q = on_both(x, grid)
    assert q.min() >= grid.low
    assert q.max() <= grid.high
    real = (q.astype(np.int64) - int(grid.zero_point)) * np.float64(grid.scale)
    # float32's rounding of the scale moves the last level by up to 2**-24 of the range: 2**(bits - 24) steps.
    assert np.abs(real - x).max() <= np.float64(grid.scale) * (0.5 + 2.0 ** (bits - 23))


@quick
@given(magnitudes, magnitudes, st.integers(2, 16), st.sampled_from(SCHEMES))
def test_zero_is_exact_and_levels_survive_the_way_there_and_back(
    below: float, above: float, bits: int, scheme: str
) -> None:
    grid = grid_of(-below, above, bits, scheme)
    assert dequantise(quantise(np.zeros(1, np.float32), grid), grid)[0] == 0
    every = np.arange(grid.low, grid.high + 1).astype(grid.dtype)
    real = dequantise(every, grid)
    if np.isfinite(real).all():
        assert np.array_equal(quantise(real, grid), every)
    assert (np.diff(real) > 0).all()


def assert_as_torch(q: np.ndarray, theirs: torch.Tensor, x: np.ndarray, grid: Grid) -> None:
    """Bit for bit, but for halves, where torch adds the zero point first and then rounds."""
    s = x / np.asarray(along(grid.scale, x, grid.axis), np.float64)
    half = np.abs(s - np.floor(s) - 0.5) < 2.0**-14
    levels_of_torch = theirs.int_repr().numpy()
    assert np.array_equal(q[~half], levels_of_torch[~half])
    assert np.abs(q[half].astype(int) - levels_of_torch[half]).max(initial=0) <= 1
    back = dequantise(levels_of_torch, grid)
    assert np.array_equal(back, theirs.dequantize().numpy())


@quick
@given(
    arrays.arrays(np.float32, st.integers(1, 67), elements=st.floats(-600, 600, width=32)),
    st.floats(0.0078125, 2, width=32),
    st.integers(-128, 127),
)
def test_per_tensor_as_torch_to_the_bit(x: np.ndarray, scale: float, zero: int) -> None:
    grid = Grid(np.float32(scale), np.int32(zero), -128, 127)
    theirs = torch.quantize_per_tensor(torch.from_numpy(x), scale, zero, torch.qint8)
    assert_as_torch(on_both(x, grid), theirs, x, grid)


@quick
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1]), st.booleans())
def test_per_channel_as_torch_to_the_bit(seed: int, axis: int, unsigned: bool) -> None:
    rng = generator(seed, "per channel")
    x = (rng.standard_normal((6, 6, 3)) * rng.choice([1e-3, 1, 1e3], (6, 1, 1))).astype(np.float32)
    x.flat[0] = 0.5 * 2**-7  # a tie, with the channels' scales below
    grid = calibrate(x, 8, "unsigned" if unsigned else "signed", axis)
    scale = np.where(np.arange(6) % 2, grid.scale, np.float32(2**-7))
    grid = grid._replace(scale=scale)
    theirs = torch.quantize_per_channel(
        torch.from_numpy(x),
        torch.tensor(grid.scale),
        torch.tensor(grid.zero_point, dtype=torch.int64),
        axis,
        torch.quint8 if unsigned else torch.qint8,
    )
    assert_as_torch(on_both(x, grid), theirs, x, grid)


def test_where_the_zero_point_is_added_decides_halves() -> None:
    """torch.quantize_* add it before they round; torch.fake_quantize_*, ONNX and we after it."""
    x, one = np.arange(-40, 40, dtype=np.float32) + 0.5, np.float32(1)
    for zero in (0, 2, 3):
        theirs = torch.quantize_per_tensor(torch.from_numpy(x), 1.0, zero, torch.qint8).int_repr().numpy()
        fake = torch.fake_quantize_per_tensor_affine(torch.from_numpy(x), 1.0, zero, -128, 127).numpy()
        ours = on_both(x, Grid(one, np.int32(zero), -128, 127))
        assert np.array_equal(ours - zero, fake)
        assert np.array_equal(theirs, np.round(x + zero))
        assert (ours == theirs).all() == (zero % 2 == 0)


def test_halves_go_to_even_levels() -> None:
    grid = Grid(np.float32(1), np.int32(0), -127, 127)
    assert on_both(np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]), grid).tolist() == [-2, -2, 0, 0, 2, 2]


def test_half_floats_are_counted_in_float32() -> None:
    x = torch.linspace(-1, 1, 64, dtype=torch.bfloat16)
    grid = grid_of(-1, 1, 16)
    assert torch.equal(quantise(x, grid), quantise(x.float(), grid))
    for q in (quantise(x, grid, generator(0)), quantise(x.float(), grid, generator(0))):
        assert q.dtype == torch.int16


def test_stochastic_rounding_has_mean_x_and_errors_below_a_step() -> None:
    """A z-score for each of 9 numbers: |z| > 5 in one of 9 happens by chance once in 190,000 seeds."""
    n, grid = 20_000, Grid(np.float32(0.25), np.int32(3), -128, 127)
    x = np.array([-3.1, -0.3, -0.25, 0, 0.01, 0.124, 0.125, 1.7, 7.49])
    q = quantise(np.tile(x, (n, 1)), grid, generator(1, "stochastic"))
    real = dequantise(q, grid).astype(np.float64)
    assert np.abs(real - x).max() < 0.25
    share = x / 0.25 - np.floor(x / 0.25)
    deviation = 0.25 * np.sqrt(share * (1 - share) / n)
    off = np.abs(real.mean(0) - x)
    assert (off[deviation == 0] == 0).all()
    assert (off <= 5 * deviation + 1e-12).all()
    again = quantise(torch.tensor(np.tile(x, (n, 1))), grid, generator(1, "stochastic"))
    assert np.array_equal(again.numpy(), q)


def test_outside_the_range_numbers_saturate() -> None:
    grid = grid_of(-1, 1)
    assert on_both(np.array([-np.inf, -7, 7, np.inf], np.float32), grid).tolist() == [-127, -127, 127, 127]


def test_levels() -> None:
    assert [levels(8, s) for s in SCHEMES] == [(-127, 127), (-128, 127), (0, 255)]
    assert [levels(2, s) for s in SCHEMES] == [(-1, 1), (-2, 1), (0, 3)]
    assert [grid_of(-1, 1, b, s).dtype for b, s in ((8, "signed"), (8, "unsigned"), (9, "signed"))] == [
        "int8",
        "uint8",
        "int16",
    ]


def test_ranges_at_the_ends_of_float32() -> None:
    largest, tiny = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)
    for scheme in SCHEMES:
        wide = grid_of(-largest, largest, 8, scheme)
        assert np.isfinite(wide.scale)
        narrow = grid_of(-tiny / 4, 0, 8, scheme)
        assert narrow.scale > 0
        assert np.isfinite(1 / narrow.scale)
        assert grid_of(0, 0, 8, scheme).scale == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: levels(1, "signed"), "bits must be >= 2; got 1"),
        (lambda: levels(17, "signed"), "bits must be <= 16; got 17"),
        (lambda: levels(8, "log"), "scheme must be one of symmetric, signed, unsigned; got 'log'"),
        (lambda: grid_of(1, -1), r"lo must be <= hi; got lo = 1.0, hi = -1.0"),
        (lambda: grid_of(np.nan, 1), "lo must be finite; 1 of 1"),
        (lambda: grid_of(0, 1e300), "needs a scale beyond float32"),
        (lambda: grid_of([0], [1]), r"with axis; got \(1,\), \(1,\) and axis=None"),
        (lambda: quantise(np.ones((2, 3)), grid_of([0, 0], [1, 1], axis=1)), "2 channels on axis 1"),
        (lambda: quantise(np.array([1, np.nan, np.nan]), grid_of(0, 1)), "x holds 2 NaN of 3"),
    ],
)
def test_what_cannot_be_quantised_is_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_whole_numbers_are_not_quantised_again() -> None:
    with pytest.raises(TypeError, match="x must hold floating-point numbers; got dtype int64"):
        quantise(np.arange(3), grid_of(0, 1))
