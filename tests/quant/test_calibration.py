"""Ranges chosen from data, whole or in a stream."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from mlsys.core import generator
from mlsys.quant import (
    CLIPS,
    Histogram,
    MinMax,
    MovingAverage,
    calibrate,
    dequantise,
    grid_of,
    least_squares,
    min_max,
    percentile,
    quantise,
)

quick = settings(max_examples=60, deadline=None, derandomize=True)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return generator(seed, "calibration").standard_normal(shape)


def squared_error(x: np.ndarray, bits: int, clip: str) -> float:
    grid = calibrate(x, bits, clip=clip)
    return float(((dequantise(quantise(x, grid), grid) - x) ** 2).mean())


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("scheme", ["symmetric", "signed", "unsigned"])
def test_a_scale_a_channel_is_each_channel_on_its_own(axis: int, clip: str, scheme: str) -> None:
    x = normal(3, 4, 50) * np.array([[[1e-3]], [[1]], [[1e3]]])
    whole = calibrate(x, 8, scheme, axis, clip)
    for i, part in enumerate(np.moveaxis(x, axis, 0)):
        alone = calibrate(part, 8, scheme, None, clip)
        assert whole.scale[i] == alone.scale
        assert whole.zero_point[i] == alone.zero_point
    assert np.array_equal(calibrate(torch.from_numpy(x), 8, scheme, axis, clip).scale, whole.scale)


def gaussian_error(step: float, high: int) -> float:
    """The mean squared error of a unit Gaussian on levels -high … high, by a fine sum over its density."""
    x = np.linspace(-12, 12, 240_001)
    real = np.clip(np.round(x / step), -high, high) * step
    return float(((x - real) ** 2 * np.exp(-x * x / 2)).sum() * 1e-4 / np.sqrt(2 * np.pi))


@pytest.mark.parametrize("bits", [3, 4, 6])
def test_the_least_squares_range_of_a_gaussian_is_the_best_one(bits: int) -> None:
    """Its error is within 1 % of the least that any step has (Max, 1960, has the table of these)."""
    high = 2 ** (bits - 1) - 1
    best = minimize_scalar(lambda step: gaussian_error(step, high), bounds=(0.5 / high, 5 / high)).x
    found = float(calibrate(normal(100_000), bits, clip="least-squares").scale)
    assert gaussian_error(found, high) <= 1.01 * gaussian_error(best, high)
    assert found == pytest.approx(best, rel=0.05)
    assert found == grid_of(*least_squares(normal(100_000), bits), bits).scale


def test_few_bits_want_the_tails_cut_and_least_squares_is_never_worse_than_min_max() -> None:
    for seed in range(5):
        x = generator(seed, "heavy").standard_t(3, 4000)
        for bits in (2, 4, 8):
            assert squared_error(x, bits, "least-squares") <= squared_error(x, bits, "min-max")
        assert squared_error(x, 4, "least-squares") < 0.5 * squared_error(x, 4, "min-max")


def test_percentiles_are_numpy_s() -> None:
    x = normal(5, 1000)
    lo, hi = percentile(x, 99, axis=0)
    assert np.allclose(lo, np.percentile(x, 1, axis=1))
    assert np.allclose(hi, np.percentile(x, 99, axis=1))
    assert percentile(x, 100) == min_max(x)


def test_a_stream_s_min_max_is_that_of_the_whole() -> None:
    batches = [normal(10, seed=s) for s in range(5)]
    observer = MinMax()
    for batch in batches:
        observer = observer.observe(batch)
    assert observer.range() == min_max(np.concatenate(batches))


def test_the_moving_average_is_torch_s() -> None:
    from torch.ao.quantization import MovingAverageMinMaxObserver

    ours, theirs = MovingAverage(rate=0.1), MovingAverageMinMaxObserver(averaging_constant=0.1)
    for seed in range(10):
        batch = torch.tensor(normal(50, seed=seed), dtype=torch.float32)
        ours = ours.observe(batch)
        theirs(batch)
    lo, hi = ours.range()
    assert lo == pytest.approx(float(theirs.min_val), rel=1e-6)
    assert hi == pytest.approx(float(theirs.max_val), rel=1e-6)


@quick
@given(st.integers(0, 2**32 - 1), st.sampled_from([90.0, 99.0, 99.9, 100.0]))
def test_a_histogram_s_percentile_is_within_a_bin_of_the_exact_one(seed: int, p: float) -> None:
    rng = generator(seed, "histogram")
    batches = [rng.standard_normal(n) * 10 ** rng.uniform(-3, 3) for n in rng.integers(1, 200, size=6)]
    observer = Histogram(p, bins=256)
    for batch in (np.zeros(2), *batches):
        observer = observer.observe(batch)
    x = np.sort(np.concatenate([np.zeros(2), *batches]))
    assert observer.counts.sum() == len(x)
    bin_width = 2 * observer.width / 256
    assert bin_width <= 4 * np.abs(x).max() / 256
    lo, hi = observer.range()
    left = (100 - p) / 100 * len(x)
    exact_lo, exact_hi = x[int(np.floor(left + 1e-9))], x[int(np.ceil(len(x) - left - 1e-9)) - 1]
    assert exact_lo - bin_width <= lo <= exact_lo
    assert exact_hi <= hi <= exact_hi + bin_width


def test_observers_are_not_changed_by_what_they_see() -> None:
    for observer in (MinMax(), MovingAverage(), Histogram()):
        seen = observer.observe(np.array([1.0, 2.0]))
        seen.observe(np.array([50.0]))
        assert seen.range()[1] <= 2.01
        with pytest.raises(ValueError, match="nothing was observed yet"):
            observer.range()


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
@pytest.mark.parametrize(
    "use",
    [
        MinMax().observe,
        MovingAverage().observe,
        Histogram().observe,
        *(lambda x, clip=clip: calibrate(x, clip=clip) for clip in CLIPS),
    ],
)
def test_calibration_data_that_is_not_finite_is_named_and_counted(kind, use) -> None:
    bad = kind([1, np.nan, np.inf, -np.inf])
    with pytest.raises(ValueError, match=r"x must be finite; 3 of 4 numbers are not \(1 NaN, 2 infinite\)"):
        use(bad)
    with pytest.raises(ValueError, match="at least one number"):
        use(bad[:0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: percentile(np.ones(3), 50), r"p must lie in \(50, 100\]; got 50"),
        (
            lambda: calibrate(np.ones(3), clip="magic"),
            "clip must be one of min-max, percentile, least-squares",
        ),
        (lambda: MovingAverage(1.5), r"rate must lie in \(0, 1\]; got 1.5"),
        (lambda: Histogram(bins=6), "bins must be a multiple of 4"),
        (lambda: Histogram(p=40), r"p must lie in \(50, 100\]; got 40"),
    ],
)
def test_options_out_of_range_are_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
