"""What a body's `xp` is under Triton: its language, with NumPy's and torch's treatment of NaN."""

# mypy: ignore-errors
# (Functions of Triton's language, compiled from their source: they are not what Python's types make of them.)

import triton
import triton.language as tl


@triton.jit
def sqrt(x):
    return tl.sqrt(x)


@triton.jit
def abs(x):
    return tl.abs(x)


@triton.jit
def where(condition, x, y):
    return tl.where(condition, x, y)


@triton.jit
def maximum(x, y):
    return tl.maximum(x, y, propagate_nan=tl.PropagateNan.ALL)
