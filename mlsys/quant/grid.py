"""The grid of a uniform quantiser: q = round(x / scale) + zero_point, and back: x = (q - zero_point) scale.

Uniform steps suit weights and activations, whose errors add up in a sum. The moments of an optimiser want another
grid, with logarithmic steps shared by a block: mlsys.core.lowbit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mlsys.core import word
from mlsys.core.checks import is_floating, kind, whole
from mlsys.core.dispatch import namespace

TINIEST = float(np.finfo(np.float32).tiny)  # the least scale: its reciprocal is still finite


class Grid(NamedTuple):
    """scale : float32 > 0, () or (channels,);  zero_point : int32 of that shape, the level that stands for 0

    low, high : the first and the last level;  axis : the axis of the channels, None where one scale serves all
    """

    scale: np.ndarray
    zero_point: np.ndarray
    low: int
    high: int
    axis: int | None = None

    @property
    def dtype(self) -> str:
        """The narrowest integer type that the library offers for these levels."""
        for name in ("int8", "uint8", "int16", "int32"):
            if np.iinfo(name).min <= self.low and self.high <= np.iinfo(name).max:
                return name
        raise AssertionError("levels() gives no more than 16 bits")


def levels(bits: int, scheme: str) -> tuple[int, int]:
    """(low, high) of so many bits: symmetric -127 … 127, signed -128 … 127, unsigned 0 … 255 for 8.

    Symmetric leaves one level out, so that x and -x have codes of one size. Raises ValueError for bits outside
    2 … 16 or an unknown scheme.
    """
    if whole(2, bits=bits) > 16:
        raise ValueError(f"bits must be <= 16; got {bits}. Keep wider numbers in floating point.")
    half = 2 ** (bits - 1)
    table = {"symmetric": (1 - half, half - 1), "signed": (-half, half - 1), "unsigned": (0, 2 * half - 1)}
    if scheme not in table:
        raise ValueError(f"scheme must be one of {', '.join(table)}; got {scheme!r}.")
    return table[scheme]


def grid_of(lo: Any, hi: Any, bits: int = 8, scheme: str = "symmetric", axis: int | None = None) -> Grid:
    """The grid that covers [lo, hi] and 0.

        symmetric          scale = max(-lo, hi) / high,       zero_point = 0
        signed, unsigned   scale = (hi - lo) / (high - low),  zero_point = round(low - lo / scale)     (affine)

    lo, hi : numbers, or (channels,) with axis;  the range is widened to hold 0, which every grid represents exactly:
    zeros of padding and of ReLU stay zeros. A range that is 0 alone gets scale 1.
    Raises ValueError if lo or hi is not finite, lo > hi, their shapes do not fit the axis, or the range is too wide
    for a float32 scale.
    """
    lo, hi = np.asarray(lo, np.float64), np.asarray(hi, np.float64)
    low, high = levels(bits, scheme)
    if lo.shape != hi.shape or lo.ndim != (axis is not None):
        raise ValueError(
            f"lo and hi must be numbers, or one row of them with axis; got {lo.shape}, {hi.shape} and axis={axis}."
        )
    finite(lo=lo)
    finite(hi=hi)
    if (lo > hi).any():
        raise ValueError(f"lo must be <= hi; got lo = {lo[lo > hi].flat[0]}, hi = {hi[lo > hi].flat[0]}.")
    lo, hi = np.minimum(lo, 0), np.maximum(hi, 0)
    # Two quotients: hi - lo may be too large even for float64.
    wide = np.maximum(-lo, hi) / high if scheme == "symmetric" else hi / (high - low) - lo / (high - low)
    if (wide > np.finfo(np.float32).max).any():
        raise ValueError(
            f"the range [{lo.min()}, {hi.max()}] needs a scale beyond float32. Rescale the data."
        )
    scale = np.where(hi == lo, 1.0, np.maximum(wide, TINIEST)).astype(np.float32)
    if scheme == "symmetric":
        zero_point = np.zeros(lo.shape, np.int32)
    else:
        zero_point = np.clip(np.round(low - lo / scale), low, high).astype(np.int32)
    return Grid(scale, zero_point, low, high, axis)


def finite(**named: Any) -> None:
    """Raise ValueError with the counts unless all numbers of the one named array are finite."""
    ((name, array),) = named.items()
    xp = namespace(array)
    good = xp.isfinite(array)
    if bool(good.all()):
        return
    nan, total = int(xp.isnan(array).sum()), int(np.prod(array.shape))
    bad = total - int(good.sum())
    raise ValueError(
        f"{name} must be finite; {bad} of {total} numbers are not ({nan} NaN, {bad - nan} infinite). "
        "Find the layer or the example they come from, or leave that example out."
    )


def along(array: Any, like: Any, axis: int | None) -> Any:
    """A number a channel as an array of `like`'s library, shaped to multiply it along the axis."""
    array = np.asarray(array)
    if axis is not None:
        if not -like.ndim <= axis < like.ndim or like.shape[axis] != array.shape[0]:
            raise ValueError(
                f"the grid has {array.shape[0]} channels on axis {axis}; the array is {tuple(like.shape)}."
            )
        array = array.reshape([-1 if i == axis % like.ndim else 1 for i in range(like.ndim)])
    if kind(like) == "numpy":
        return array
    return namespace(like).from_numpy(np.array(array)).to(like.device)


def steps(x: Any, grid: Grid) -> Any:
    """x / scale: how many steps each number is from 0, in float32 or wider; by the reciprocal, as libraries do it."""
    x = x if x.dtype.itemsize >= 4 else word.whole(x, "float32")  # half floats cannot count the levels
    return x * (1 / cast(along(grid.scale, x, grid.axis), x))


def cast(array: Any, like: Any) -> Any:
    """In the dtype of `like`."""
    return array.astype(like.dtype) if kind(array) == "numpy" else array.to(like.dtype)


def quantise(x: Any, grid: Grid, rng: np.random.Generator | None = None) -> Any:
    """The level of each number: clip(round(x / scale) + zero_point, low, high), in grid.dtype, of x's shape.

    rng : None rounds to nearest, halves to even; with a generator it rounds up with a probability equal to the part
    that would be cut off, floor(x / scale + u), u uniform in [0, 1): the mean over u is x (Gupta et al., 2015).
    Error inside the range: <= scale / 2, stochastic < scale; outside, x saturates, so infinities do too.
    The zero point is added after rounding, as ONNX and torch.fake_quantize_* do it; torch.quantize_per_* add it
    before, so that their halves go to even *levels* and ours to even multiples of the scale: the zero point moves none.
    Raises TypeError if x is not floating, ValueError if it holds NaN (counted) or does not fit the channels.
    """
    if not is_floating(x):
        raise TypeError(f"x must hold floating-point numbers; got dtype {x.dtype}. Convert it to float32.")
    xp = namespace(x)
    if bool((nan := xp.isnan(x)).any()):
        raise ValueError(
            f"x holds {int(nan.sum())} NaN of {int(np.prod(x.shape))}; no level stands for them."
        )
    s = steps(x, grid)
    n = xp.round(s) if rng is None else xp.floor(s + cast(along(rng.random(tuple(x.shape)), x, None), s))
    zero = cast(along(grid.zero_point, x, grid.axis), s)
    return word.whole((n + zero).clip(grid.low, grid.high), grid.dtype)


def dequantise(q: Any, grid: Grid) -> Any:
    """(q - zero_point) scale, in float32."""
    scale = along(grid.scale, q, grid.axis)
    return cast(word.whole(q) - along(grid.zero_point, q, grid.axis), scale) * scale
