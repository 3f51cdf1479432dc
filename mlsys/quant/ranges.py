"""Calibration: the range that a grid should cover, from the numbers themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mlsys.core.checks import positive
from mlsys.quant.grid import Grid, dequantise, finite, grid_of, levels, quantise

SHRINKS = np.arange(100, 4, -1) / 100  # the ranges tried for the least squared error, largest first


def rows(x: Any, axis: int | None) -> np.ndarray:
    """(channels, numbers of each) as NumPy float32 or float64; one row without an axis. Not empty, and finite."""
    array = x.detach().cpu().numpy() if hasattr(x, "detach") else np.asarray(x)
    if array.size == 0:
        raise ValueError(f"x must hold at least one number to calibrate from; got shape {array.shape}.")
    finite(x=array)
    return (
        array.reshape(1, -1) if axis is None else np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)
    )


def min_max(x: Any, axis: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest number, of each channel with axis. Raises ValueError if x is empty or not finite."""
    each = rows(x, axis)
    return shaped(each.min(1), axis), shaped(each.max(1), axis)


def percentile(x: Any, p: float = 99.9, axis: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The percentiles 100 - p and p: what lies outside, 2 (100 - p) % of the numbers, saturates.

    p : in (50, 100]. Raises ValueError if it is not, or x is empty or not finite.
    """
    if not 50 < positive(p=p) <= 100:
        raise ValueError(f"p must lie in (50, 100]; got {p!r}. 99.9 lets two numbers in a thousand saturate.")
    lo, hi = np.percentile(rows(x, axis), (100 - p, p), axis=1)
    return shaped(lo, axis), shaped(hi, axis)


def least_squares(
    x: Any, bits: int = 8, scheme: str = "symmetric", axis: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The fraction of the min-max range whose grid has the least squared error, tried from 1 down in hundredths.

    A smaller range has finer steps for the many and saturates the few: the fewer the bits, the smaller the best.
    Raises ValueError if x is empty or not finite.
    """
    each = rows(x, axis)
    lo, hi = each.min(1), each.max(1)
    least, best = np.full(len(each), np.inf), np.ones(len(each))
    for share in SHRINKS:
        grid = grid_of(share * lo, share * hi, bits, scheme, axis=0)
        error = ((dequantise(quantise(each, grid), grid) - each.astype(np.float64)) ** 2).mean(1)
        least, best = np.minimum(least, error), np.where(error < least, share, best)
    return shaped(best * lo, axis), shaped(best * hi, axis)


CLIPS: dict[str, Callable[..., tuple[np.ndarray, np.ndarray]]] = {
    "min-max": lambda x, bits, scheme, axis: min_max(x, axis),
    "percentile": lambda x, bits, scheme, axis: percentile(x, axis=axis),
    "least-squares": least_squares,
}


def calibrate(
    x: Any, bits: int = 8, scheme: str = "symmetric", axis: int | None = None, clip: str = "min-max"
) -> Grid:
    """The grid for these numbers: of one scale, or of one a channel along an axis.

    scheme : "symmetric", or the affine "signed" and "unsigned";  clip : one of CLIPS, how the range is chosen
    Raises ValueError if x is empty or not finite (counted), or an option is unknown.
    """
    levels(bits, scheme)
    if clip not in CLIPS:
        raise ValueError(f"clip must be one of {', '.join(CLIPS)}; got {clip!r}.")
    return grid_of(*CLIPS[clip](x, bits, scheme, axis), bits, scheme, axis)


def shaped(row: np.ndarray, axis: int | None) -> np.ndarray:
    """(channels,) with an axis, () without."""
    return row[0] if axis is None else row
