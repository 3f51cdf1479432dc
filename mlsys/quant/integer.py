"""Products of quantised matrices in integers, as the hardware does them: int8 in, int32 sums, one scale at the end."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.core import word
from mlsys.core.checks import kind
from mlsys.quant.grid import Grid, along


def product(a: Any, b: Any) -> Any:
    """a @ b with int32 accumulation: (n, k) and (k, m) of 8-bit integers -> (n, m) int32, exact.

    Raises TypeError unless both are 8-bit integers of one library, ValueError if the shapes do not fit, or k is so
    long that a sum could leave int32 (k > 2**31 / 2**14 for int8 by int8).
    """
    if kind(a) != kind(b):
        raise TypeError(f"a and b must be of one library and device; got {kind(a)} and {kind(b)}.")
    for name, array in (("a", a), ("b", b)):
        if str(array.dtype).removeprefix("torch.") not in ("int8", "uint8"):
            raise TypeError(f"{name} must hold 8-bit integers; got {array.dtype}. quantise gives them.")
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise ValueError(f"a must be (n, k) and b (k, m); got {tuple(a.shape)} and {tuple(b.shape)}.")
    largest = (2**31 - 1) // (_largest(a) * _largest(b))
    if a.shape[1] > largest:
        raise ValueError(f"k must be <= {largest}, so that int32 sums cannot overflow; got {a.shape[1]}.")
    return word.whole(a) @ word.whole(b)


def centred(acc: Any, a: Any, b: Any, za: Any, zb: Any) -> Any:
    """(a - za) @ (b - zb) from acc = a @ b, (n, m) int64, without widening a matrix:

        acc - zb * rowsum(a) - za * columnsum(b) + k * za * zb

    a (n, k), b (k, m);  za : a number;  zb : a number, or (m,), one a column. The columns' sums do not depend on a:
    with weights as b they are computed once; with zb = 0, a symmetric b, the row sums are not needed at all.
    """
    acc, k = word.whole(acc, "int64"), a.shape[1]
    za, zb = along(za, acc, None), along(zb, acc, None if np.ndim(zb) == 0 else 1)
    rowsum, columnsum = word.whole(a, "int64").sum(1)[:, None], word.whole(b, "int64").sum(0)
    return acc - zb * rowsum - za * columnsum + k * za * zb


def dequantised_product(a: Any, grid_a: Grid, b: Any, grid_b: Grid, dtype: str = "float32") -> Any:
    """The real product that the integers stand for: scale_a scale_b (a - za) @ (b - zb), (n, m), rounded once.

    a (n, k) of one scale;  b (k, m) of one scale or one a column (axis 1).
    Raises as `product` does, and ValueError if grid_a has channels or grid_b's are not the columns: a scale a row
    of b could not be taken out of the sum over k.
    """
    if grid_a.axis is not None or grid_b.axis not in (None, 1):
        raise ValueError(
            f"a needs one scale, b one, or one a column (axis 1); got axes {grid_a.axis} and {grid_b.axis}."
        )
    total = centred(product(a, b), a, b, grid_a.zero_point, grid_b.zero_point)
    scale = np.multiply(grid_a.scale, grid_b.scale, dtype=np.float64)
    return word.whole(total * along(scale, total, grid_b.axis), dtype)


def _largest(array: Any) -> int:
    return 255 if str(array.dtype).endswith("uint8") else 128
