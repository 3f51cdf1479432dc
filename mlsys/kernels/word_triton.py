"""What the bodies of `mlsys.core.lowbit` ask of numbers, under Triton; and those bodies, lifted."""

# mypy: ignore-errors
# (Functions of Triton's language, compiled from their source: they are not what Python's types make of them.)

import sys
import types

import triton
import triton.language as tl

from mlsys.core import lowbit as codes


@triton.jit
def bits(x):
    return x.to(tl.int32, bitcast=True)


@triton.jit
def real(n):
    return n.to(tl.float32, bitcast=True)


@triton.jit
def where(condition, x, y):
    return tl.where(condition, x, y)


@triton.jit
def at_least(n, low):
    return tl.maximum(n, low)


def lifted(function):
    """The body with its module's global `word` bound to this module."""
    names = {**function.__globals__, "word": sys.modules[__name__], "tl": tl}
    return triton.jit(types.FunctionType(function.__code__, names, function.__name__))


scramble = lifted(codes.scramble)
bfloat16_value, bfloat16_code = lifted(codes.bfloat16_value), lifted(codes.bfloat16_code)
signed_offset, squares_offset = lifted(codes.signed_offset), lifted(codes.squares_offset)
signed_value, signed_code = lifted(codes.signed_value), lifted(codes.signed_code)
squares_value, squares_code = lifted(codes.squares_value), lifted(codes.squares_code)
