"""Fake quantisation: quantise and dequantise in floating point, with a gradient that training can follow."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mlsys.quant.grid import Grid, along, cast, steps


class _Straight(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, grid: Grid) -> Tensor:
        zero = cast(along(grid.zero_point, x, grid.axis), x)
        q = torch.round(steps(x, grid)) + zero
        ctx.save_for_backward((q >= grid.low) & (q <= grid.high))
        return (q.clip(grid.low, grid.high) - zero) * cast(along(grid.scale, x, grid.axis), x)

    @staticmethod
    def backward(ctx: Any, *g: Tensor) -> tuple[Tensor, None]:
        (inside,) = ctx.saved_tensors
        return g[0] * inside, None


def fake_quantise(x: Tensor, grid: Grid) -> Tensor:
    """dequantise(quantise(x)) in x's dtype, whose gradient is that of the identity inside the grid's range, 0 outside.

    Rounding has slope 0 almost everywhere, which would stop all learning; the straight-through estimator takes
    its slope for 1 (Bengio, Léonard & Courville, 2013; Jacob et al., 2018). NaN passes through, as in torch.
    Raises ValueError if x does not fit the grid's channels.
    """
    return _Straight.apply(x, grid)
