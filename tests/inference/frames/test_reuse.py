"""Reuse between frames: equal to computing everything at threshold 0, within its bound otherwise, and counted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from mlsys.core import generator
from mlsys.inference.frames import DeltaLinear, ReusedConv, first_layer, run, savings, video


def integers(shape: tuple[int, ...], low: int, high: int, *names: str) -> Tensor:
    """Whole numbers in float32: sums of their products are exact in any order."""
    return torch.tensor(generator(0, *names).integers(low, high, shape), dtype=torch.float32)


def moving(frames: int = 6, channels: int = 2, size: int = 16) -> list[Tensor]:
    """Whole-numbered frames, each differing from the last in one rectangle, the last in nothing."""
    rng = generator(0, "moving")
    out = [integers((channels, size, size), 0, 256, "first")]
    for _ in range(frames - 2):
        frame = out[-1].clone()
        y, x = rng.integers(0, size - 3, 2)
        frame[:, y : y + 3, x : x + 4] += 1 + integers((channels, 1, 1), 0, 9, "step")
        out.append(frame)
    return [*out, out[-1].clone()]


@pytest.mark.parametrize(("kernel", "block"), [(1, 4), (3, 4), (5, 8), (7, 2), (3, 16)])
def test_at_threshold_0_it_is_the_convolution_to_the_bit(kernel: int, block: int) -> None:
    weight, bias = integers((3, 2, kernel, kernel), -8, 9, "weight"), integers((3,), -8, 9, "bias")
    conv, frames = ReusedConv(weight, bias, block), moving()
    seen, work = conv.init(frames[0])
    for t, frame in enumerate(frames):
        before = [part.clone() for part in seen]
        after, work = conv.step(seen, frame)
        assert torch.equal(after.output, F.conv2d(frame[None], weight, bias, padding=kernel // 2)[0])
        assert all(torch.equal(a, b) for a, b in zip(before, seen, strict=True))
        assert work.multiply_adds == int(work.changed.sum()) * block**2 * weight.numel()
        assert work.whole == 16 * 16 * weight.numel()
        if t in (0, len(frames) - 1):
            assert work.multiply_adds == 0
        seen = after


def test_what_is_computed_again_is_what_the_change_reaches_and_no_more() -> None:
    conv = ReusedConv(torch.ones(1, 1, 3, 3), None, block=4)
    seen, _ = conv.init(torch.zeros(1, 16, 16))
    for at, blocks in [
        ((5, 5), [(1, 1)]),
        ((4, 5), [(0, 1), (1, 1)]),
        ((3, 4), [(0, 0), (0, 1), (1, 0), (1, 1)]),
    ]:
        frame = torch.zeros(1, 16, 16)
        frame[0, at[0], at[1]] = 1.0
        _, work = conv.step(seen, frame)
        assert [tuple(pair) for pair in work.changed.nonzero().tolist()] == blocks


@given(st.floats(0, 0.2), st.integers(0, 5), st.sampled_from([1, 3, 5]))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_the_error_is_within_the_bound(threshold: float, seed: int, kernel: int) -> None:
    """On frames that drift, so that a reference grows old: against the frame before, nothing would ever change."""
    rng = generator(seed, "drift")
    weight = torch.tensor(rng.standard_normal((4, 2, kernel, kernel)))
    conv = ReusedConv(weight, None, 4, threshold)
    frame = torch.tensor(rng.uniform(0, 1, (2, 8, 12)))
    drift = torch.tensor(rng.uniform(-0.03, 0.03, (2, 8, 12)))
    seen, _ = conv.init(frame)
    for _ in range(12):
        frame = frame + drift
        seen, _ = conv.step(seen, frame)
        error = (seen.output - F.conv2d(frame[None], weight, padding=kernel // 2)[0]).abs().amax((1, 2))
        assert (error <= conv.bound() + 1e-12).all()


def test_the_bound_is_reached() -> None:
    """Every pixel moved by the threshold itself, with the sign of its weight: nothing is computed, the error is all."""
    weight = torch.tensor([[[[1.0, -2.0, 3.0], [4.0, 5.0, -6.0], [7.0, 8.0, 9.0]]]])
    conv = ReusedConv(weight, None, 3, threshold=0.5)
    seen, _ = conv.init(torch.zeros(1, 3, 3))
    frame = 0.5 * torch.sign(weight[0])
    after, work = conv.step(seen, frame)
    assert work.multiply_adds == 0
    assert (
        F.conv2d(frame[None], weight, padding=1)[0, 0, 1, 1] - after.output[0, 1, 1]
        == conv.bound()[0]
        == 22.5
    )


@given(st.floats(0, 0.5), st.integers(0, 5))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_a_linear_layer_by_differences(threshold: float, seed: int) -> None:
    rng = generator(seed, "linear")
    W, b = torch.tensor(rng.standard_normal((5, 7))), torch.tensor(rng.standard_normal(5))
    layer = DeltaLinear(W, b, threshold)
    x = torch.tensor(rng.standard_normal(7))
    seen, work = layer.init(x)
    assert work == (work.changed, 35, 35)
    for _ in range(10):
        x = x + torch.tensor(rng.normal(0, 0.1, 7) * (rng.random(7) < 0.5))
        moved = int(((x - seen.reference).abs() > threshold).sum())
        seen, work = layer.step(seen, x)
        assert work.multiply_adds == 5 * moved
        torch.testing.assert_close(seen.output, W @ seen.reference + b, rtol=0, atol=1e-12)
        assert ((seen.output - (W @ x + b)).abs() <= layer.bound() + 1e-12).all()
        if threshold == 0:
            assert torch.equal(seen.reference, x)


def test_a_video_is_its_seed_moves_and_has_cuts() -> None:
    film = video(3, frames=20, size=32, scene=8, noise=0.0)
    assert film.frames.shape == (20, 3, 32, 32)
    assert film.frames.dtype == np.float32
    assert film.cuts.tolist() == [0, 8, 16]
    assert 0 <= film.frames.min() < film.frames.max() <= 1
    np.testing.assert_array_equal(film.frames, video(3, frames=20, size=32, scene=8, noise=0.0).frames)
    np.testing.assert_array_equal(film.frames[:12], video(3, frames=12, size=32, scene=8, noise=0.0).frames)
    changed = (film.frames[1:] != film.frames[:-1]).any(1).mean((1, 2))
    at_cuts = np.isin(np.arange(1, 20), film.cuts)
    assert changed[at_cuts].min() > 0.95
    assert changed[~at_cuts].max() < 0.5
    assert changed[~at_cuts].min() > 0
    with pytest.raises(ValueError, match="read-only"):
        film.frames[0] = 0
    noisy = video(3, frames=20, size=32, scene=8, noise=0.01).frames - film.frames
    inner = (film.frames > 0.05) & (film.frames < 0.95)
    assert noisy[inner].std() == pytest.approx(0.01, rel=0.03)
    still = video(0, frames=3, size=16, shapes=0, noise=0.0).frames
    np.testing.assert_array_equal(still[0], still[2])


def test_savings_fall_with_the_threshold_and_errors_rise() -> None:
    film = video(0, frames=12, size=64, scene=6)
    calls: list[int] = []

    def timed(call) -> float:
        call()
        calls.append(1)
        return float(len(calls))

    rows = savings(film, [0.0, 0.04, 0.3], timed, block=8)
    exact, near, far = rows
    assert exact.work == 1  # noise changes every block
    assert exact.error < 1e-5
    assert 0.1 < near.work < 0.9  # two of twelve frames are scenes' first
    assert far.work < near.work
    assert 1e-3 < near.error < far.error
    assert all(row.error <= row.bound + 1e-5 for row in rows)
    assert [(row.reuse_s, row.all_s) for row in rows] == [(2, 1), (3, 1), (4, 1)]
    conv = ReusedConv(*first_layer(), 8, 0.04)
    outputs, share = run(conv, [torch.tensor(frame) for frame in film.frames])
    assert share == near.work
    assert len(outputs) == 12


ones = torch.ones(1, 1, 3, 3)
BAD = [
    (lambda: ReusedConv(torch.ones(1, 1, 2, 2), None), r"weight must be \(outputs, channels, k, k\), k odd"),
    (lambda: ReusedConv(ones, None, threshold=-1), "threshold must be >= 0; got -1"),
    (lambda: ReusedConv(ones, None, 4).init(torch.ones(1, 6, 8)), r"multiples of block=4; got \(1, 6, 8\)"),
    (lambda: ReusedConv(ones, None, 1).init(torch.full((1, 1, 1), torch.nan)), "frame must be finite"),
    (lambda: ReusedConv(ones, None, 4).step(ReusedConv(ones, None, 4).init(torch.ones(1, 4, 4))[0],
                                            torch.ones(1, 8, 4)), r"frame must be as the first one; got \(1, 8, 4\)"),
    (lambda: DeltaLinear(torch.ones(2), None), r"weight must be \(outputs, inputs\); got \(2,\)"),
    (lambda: DeltaLinear(torch.ones(2, 3), None).init(torch.ones(2)), r"x must be \(3,\); got \(2,\)"),
    (lambda: DeltaLinear(torch.ones(2, 1), None).init(torch.tensor([torch.inf])), "x must be finite"),
    (lambda: video(size=8), "size must be >= 16; got 8"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "words"), BAD)
def test_bad_frames_are_named(call, words) -> None:
    with pytest.raises(ValueError, match=words):
        call()
