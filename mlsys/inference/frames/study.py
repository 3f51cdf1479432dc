"""What reuse saves on a video and what it costs: multiply-adds, time and error against the threshold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mlsys.core.seeds import generator
from mlsys.inference.frames.reuse import ReusedConv, as_tensors
from mlsys.inference.frames.video import Video

Timed = Callable[[Callable[[], Any]], float]  # runs the call as often as it likes -> seconds of one


class Saving(NamedTuple):
    """Over a whole video, the first frame and the cuts included.

    threshold : in units of a pixel;  work : multiply-adds spent, as a share of computing everything
    error : the largest difference of any output;  bound : what it can be;  scale : the outputs' root mean square
    reuse_s, all_s : seconds of the video with reuse, and of computing everything
    """

    threshold: float
    work: float
    error: float
    bound: float
    scale: float
    reuse_s: float
    all_s: float


def first_layer(
    seed: int = 0, outputs: int = 32, channels: int = 3, kernel: int = 7
) -> tuple[Tensor, Tensor]:
    """Weight (outputs, channels, kernel, kernel) and bias (outputs,) of a layer as it is before training, float32."""
    rng = generator(seed, "frames", "layer")
    weight = rng.standard_normal((outputs, channels, kernel, kernel)) / np.sqrt(channels * kernel**2)
    return torch.tensor(weight, dtype=torch.float32), torch.zeros(outputs)


def savings(
    film: Video,
    thresholds: Sequence[float],
    timed: Timed,
    layer: tuple[Tensor, Tensor] | None = None,
    block: int = 16,
) -> list[Saving]:
    """A row for each threshold: the same video through the same layer; without `layer`, first_layer()'s."""
    frames = as_tensors(film.frames)
    weight, bias = first_layer(channels=len(frames[0])) if layer is None else layer
    radius = weight.shape[2] // 2

    def everything() -> list[Tensor]:
        with torch.no_grad():
            return [F.conv2d(frame[None], weight, bias, padding=radius)[0] for frame in frames]

    exact, all_s = everything(), timed(everything)
    scale = float(torch.stack(exact).square().mean().sqrt())
    rows = []
    for threshold in thresholds:
        conv = ReusedConv(weight, bias, block, threshold)
        outputs, work = run(conv, frames)
        error = max(float((a - b).abs().max()) for a, b in zip(outputs, exact, strict=True))
        bound = float(conv.bound().max())
        rows.append(
            Saving(threshold, work, error, bound, scale, timed(partial(run, conv, frames)), float(all_s))
        )
    return rows


def run(conv: ReusedConv, frames: Sequence[Tensor]) -> tuple[list[Tensor], float]:
    """The output of every frame, and the multiply-adds spent as a share of computing everything."""
    seen, work = conv.init(frames[0])
    outputs, spent = [seen.output], work.multiply_adds
    for frame in frames[1:]:
        seen, work = conv.step(seen, frame)
        outputs.append(seen.output)
        spent += work.multiply_adds
    return outputs, spent / (work.whole * len(frames))
