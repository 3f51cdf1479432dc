"""What the bodies of `mlsys.core.lowbit` ask of numbers, under Numba; and the room for a block of them."""

# mypy: ignore-errors
# (Numba's decorators hand these functions other arguments than their callers write.)

from __future__ import annotations

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from mlsys.core.lowbit import BLOCK

_INT, _FLOAT = ir.IntType(32), ir.FloatType()


@intrinsic
def bits(typing_context, x):
    """The 32 bits of a float32."""

    def emit(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], _INT)

    return types.int32(types.float32), emit


@intrinsic
def real(typing_context, n):
    """The float32 of the low 32 bits of an integer."""

    def emit(context, builder, signature, arguments):
        (number,) = arguments
        return builder.bitcast(builder.trunc(number, _INT) if number.type.width > 32 else number, _FLOAT)

    return types.float32(n), emit


@intrinsic
def narrow(typing_context, x):
    """An integer's low 32 bits, as an int32; a float as it is."""
    wide = isinstance(x, types.Integer) and x.bitwidth > 32

    def emit(context, builder, signature, arguments):
        return builder.trunc(arguments[0], _INT) if wide else arguments[0]

    return (types.int32 if wide else x)(x), emit


@intrinsic
def scratch(typing_context, real):
    """Room on the stack for a block of numbers of the dtype `real`: the same at each call within a function."""
    result = types.CPointer(real.dtype)

    def emit(context, builder, signature, arguments):
        kind = context.get_value_type(real.dtype)
        room = cgutils.alloca_once(builder, ir.ArrayType(kind, BLOCK))
        room.align = 64
        return builder.bitcast(room, context.get_value_type(result))

    return result(real), emit


@njit(error_model="numpy")
def where(condition, x, y):
    return x if condition else y


@njit(error_model="numpy")
def at_least(n, low):
    return n if n > low else low
