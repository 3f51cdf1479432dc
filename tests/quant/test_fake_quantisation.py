"""Fake quantisation against torch's, values and gradients to the bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys.core import generator
from mlsys.quant import Grid, calibrate, dequantise, grid_of, quantise
from mlsys.quant.fake import fake_quantise

quick = settings(max_examples=60, deadline=None, derandomize=True)


def pair(seed: int, *shape: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """x twice, for two tapes, and a gradient to send back."""
    rng = generator(seed, "fake")
    x, g = torch.tensor(rng.standard_normal((2, *shape)), dtype=torch.float32)
    return (3 * x).requires_grad_(), (3 * x).requires_grad_(), g


@quick
@given(st.integers(0, 2**32 - 1), st.floats(0.0078125, 0.125, width=32), st.integers(-128, 127))
def test_per_tensor_values_and_gradients_are_torch_s(seed: int, scale: float, zero: int) -> None:
    x, y, g = pair(seed, 5, 17)
    ours = fake_quantise(x, Grid(np.float32(scale), np.int32(zero), -128, 127))
    theirs = torch.fake_quantize_per_tensor_affine(y, scale, zero, -128, 127)
    ours.backward(g)
    theirs.backward(g)
    assert torch.equal(ours, theirs)
    assert torch.equal(x.grad, y.grad)


@quick
@given(
    st.integers(0, 2**32 - 1), st.sampled_from([0, 1]), st.sampled_from(["symmetric", "signed", "unsigned"])
)
def test_per_channel_values_and_gradients_are_torch_s(seed: int, axis: int, scheme: str) -> None:
    x, y, g = pair(seed, 4, 4, 9)
    grid = calibrate(x / 2, 8, scheme, axis)  # half of the range, so that some saturate
    ours = fake_quantise(x, grid)
    theirs = torch.fake_quantize_per_channel_affine(
        y, torch.tensor(grid.scale), torch.tensor(grid.zero_point), axis, grid.low, grid.high
    )
    ours.backward(g)
    theirs.backward(g)
    assert torch.equal(ours, theirs)
    assert torch.equal(x.grad, y.grad)
    assert 0 < (x.grad == 0).float().mean() < 0.9


def test_it_is_quantise_and_back() -> None:
    x = torch.tensor(generator(0).standard_normal((50,)), dtype=torch.float32)
    grid = grid_of(-1.5, 1.2, 5, "unsigned")
    assert torch.equal(fake_quantise(x, grid), dequantise(quantise(x, grid), grid))


def test_nan_passes_and_channels_must_fit() -> None:
    assert fake_quantise(torch.tensor([torch.nan]), grid_of(0, 1)).isnan().all()
    with pytest.raises(ValueError, match="2 channels on axis 0; the array is"):
        fake_quantise(torch.ones(3), grid_of([0, 0], [1, 1], axis=0))
