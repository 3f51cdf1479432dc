"""Reuse of a first layer's outputs from frame to frame: only what has changed is computed again.

Sources: Cavigelli, Degen & Benini (2017), CBinfer (convolutions, by change detection); Neil, Lee, Delbruck & Liu
(2017), Delta Networks (linear layers, by differences).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mlsys.core.checks import nonnegative, whole


class Seen(NamedTuple):
    """What is remembered between frames.

    reference : the inputs that `output` was computed from; of a convolution, each block's own patch with its halo,
    (rows, columns, channels, block + 2r, block + 2r);  output : the layer's (outputs, h, w), or (outputs,)
    """

    reference: Tensor
    output: Tensor


class Work(NamedTuple):
    """changed : which blocks (rows, columns), or inputs (n,), were computed again;  multiply_adds : spent on them;
    whole : what computing all of it takes."""

    changed: Tensor
    multiply_adds: int
    whole: int


class ReusedConv:
    """A convolution that keeps the outputs of every block whose inputs have changed by no more than a threshold.

        block b is stale  <=>  max |x - reference_b| > threshold over b and its halo of r pixels

    A stale block is computed again from its patch, which becomes its reference: errors do not add up over frames,
    since a block is held against what it was computed from, and not against the frame before.
    Bound: |output[o] - conv(x)[o]| <= threshold * sum |weight[o]| at every pixel, besides rounding; with threshold 0
    it is conv(x), but for rounding where torch sums a small image in another order than a large one.
    weight : (outputs, channels, 2r + 1, 2r + 1), stride 1, zeros beyond the edges;  bias : (outputs,) or None
    Detection takes (1 + 2r / block)**2 subtractions and comparisons a pixel; reference and output are copied once a
    frame, so that the state handed out before stays as it was.
    Raises ValueError for a weight of another shape, and for frames that blocks do not divide or that are not finite.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, block: int = 16, threshold: float = 0.0) -> None:
        if weight.ndim != 4 or weight.shape[2] != weight.shape[3] or weight.shape[2] % 2 == 0:
            raise ValueError(f"weight must be (outputs, channels, k, k), k odd; got {tuple(weight.shape)}.")
        self.weight, self.bias = weight.detach().clone(), None if bias is None else bias.detach().clone()
        self.block, self.threshold = whole(1, block=block), nonnegative(threshold=threshold)
        self.radius = weight.shape[2] // 2

    def bound(self) -> Tensor:
        """The most that each output channel can be off, rounding aside: (outputs,)."""
        return self.threshold * self.weight.abs().sum((1, 2, 3))

    def init(self, frame: Tensor) -> tuple[Seen, Work]:
        """All of the first frame (channels, h, w)."""
        patches = self._patches(frame)
        changed = torch.ones(patches.shape[:2], dtype=torch.bool)
        return Seen(patches.clone(), self._conv(frame[None], self.radius)[0]), self._work(changed)

    def step(self, seen: Seen, frame: Tensor) -> tuple[Seen, Work]:
        """The next frame's output, and what it took; `seen` is left as it is."""
        patches = self._patches(frame)
        if patches.shape != seen.reference.shape:
            raise ValueError(f"frame must be as the first one; got {tuple(frame.shape)}.")
        changed = (patches - seen.reference).abs_().amax((2, 3, 4)) > self.threshold
        if changed.all():  # after a cut: one large convolution is faster than many small ones
            return self.init(frame)
        reference, output = seen.reference.clone(), seen.output.clone()
        if changed.any():
            reference[changed] = stale = patches[changed]
            rows, columns = changed.shape
            blocks = output.view(len(output), rows, self.block, columns, self.block).permute(1, 3, 0, 2, 4)
            blocks[changed] = self._conv(stale, 0)
        return Seen(reference, output), self._work(changed)

    def _conv(self, x: Tensor, padding: int) -> Tensor:
        with torch.no_grad():
            return F.conv2d(x, self.weight, self.bias, padding=padding)

    def _patches(self, frame: Tensor) -> Tensor:
        """Each block with its halo, a view of the padded frame: (rows, columns, channels, block + 2r, block + 2r)."""
        shape, b, r = tuple(frame.shape), self.block, self.radius
        if frame.ndim != 3 or shape[0] != self.weight.shape[1] or shape[1] % b or shape[2] % b:
            raise ValueError(
                f"frame must be ({self.weight.shape[1]}, h, w), h and w multiples of block={b}; got {shape}."
            )
        if not frame.isfinite().all():
            raise ValueError("frame must be finite; it holds NaN or infinity, which no threshold can judge.")
        padded = F.pad(frame, (r, r, r, r))
        return padded.unfold(1, b + 2 * r, b).unfold(2, b + 2 * r, b).permute(1, 2, 0, 3, 4)

    def _work(self, changed: Tensor) -> Work:
        a_block = self.block**2 * self.weight.numel()
        return Work(changed, int(changed.sum()) * a_block, changed.numel() * a_block)


class DeltaLinear:
    """A linear layer that is fed by differences: an input that has moved by more than a threshold is corrected for.

        d = x - reference where |x - reference| > threshold, else 0
        output <- output + W d;  reference <- reference + d

    Bound: |output[o] - (W x + b)[o]| <= threshold * sum |W[o]|, besides rounding, which adds up a little each step
    (float64 keeps it below notice; in float32 start anew with `init` now and then).
    weight : (outputs, inputs);  bias : (outputs,) or None;  step costs outputs * (inputs that moved) multiply-adds
    Raises ValueError if x is not (inputs,) or not finite.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, threshold: float = 0.0) -> None:
        if weight.ndim != 2:
            raise ValueError(f"weight must be (outputs, inputs); got {tuple(weight.shape)}.")
        self.columns = weight.detach().T.contiguous()  # an input's weights lie together
        self.bias = None if bias is None else bias.detach().clone()
        self.threshold = nonnegative(threshold=threshold)

    def bound(self) -> Tensor:
        """The most that each output can be off, rounding aside: (outputs,)."""
        return self.threshold * self.columns.abs().sum(0)

    def init(self, x: Tensor) -> tuple[Seen, Work]:
        """All of the first input (inputs,)."""
        self._check(x)
        output = x @ self.columns
        changed = torch.ones(len(x), dtype=torch.bool)
        return Seen(x.clone(), output if self.bias is None else output + self.bias), self._work(changed)

    def step(self, seen: Seen, x: Tensor) -> tuple[Seen, Work]:
        """The next input's output, and what it took; `seen` is left as it is."""
        self._check(x)
        changed = (x - seen.reference).abs() > self.threshold
        moved = changed.nonzero()[:, 0]
        delta = x[moved] - seen.reference[moved]
        output = seen.output + delta @ self.columns[moved]
        return Seen(torch.where(changed, x, seen.reference), output), self._work(changed)

    def _check(self, x: Tensor) -> None:
        if tuple(x.shape) != (len(self.columns),):
            raise ValueError(f"x must be ({len(self.columns)},); got {tuple(x.shape)}.")
        if not x.isfinite().all():
            raise ValueError("x must be finite; it holds NaN or infinity, which no threshold can judge.")

    def _work(self, changed: Tensor) -> Work:
        outputs = self.columns.shape[1]
        return Work(changed, int(changed.sum()) * outputs, len(changed) * outputs)


def as_tensors(frames: np.ndarray) -> list[Tensor]:
    """Each frame (channels, h, w) of a video as a tensor of its own."""
    return [torch.tensor(frame) for frame in frames]
