"""Four instructions that Numba lacks: raw loads and stores, and a counter that threads share."""

# mypy: ignore-errors
# (Numba's decorator hands these functions other arguments than their callers write.)

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def pointer(typing_context, address, real):
    """A pointer to elements of the dtype `real` from an address held in an integer."""
    result = types.CPointer(real.dtype)

    def emit(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(result))

    return result(types.int64, real), emit


@intrinsic
def load(typing_context, base, i):
    """base[i]."""

    def emit(context, builder, signature, arguments):
        return builder.load(builder.gep(arguments[0], [arguments[1]]))

    return base.dtype(base, types.int64), emit


@intrinsic
def store(typing_context, base, i, value):
    """base[i] = value, of the dtype of base: a body that widened its numbers does not compile."""

    def emit(context, builder, signature, arguments):
        builder.store(arguments[2], builder.gep(arguments[0], [arguments[1]]))

    return types.void(base, types.int64, base.dtype), emit


@intrinsic
def take(typing_context, counter):
    """counter[0], and leave one more there, as one indivisible step."""

    def emit(context, builder, signature, arguments):
        return builder.atomic_rmw("add", arguments[0], ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(types.CPointer(types.int64)), emit
