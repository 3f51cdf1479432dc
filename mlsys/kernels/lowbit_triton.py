"""The multi-tensor kernels for moments in fewer bits: any body(w, g, m, v, *c), one launch for all the parameters.

Traffic of an element: w, g, m, v read, w, m, v written: 12 bytes of float32 and 4 codes, of 2 bytes each in bfloat16,
of 1 in 8 bits, where a block of 256 reads and writes two float32 offsets besides. Every load is masked.
"""

# mypy: ignore-errors
# (Triton compiles this source itself; its annotations and calls are not Python's.)

import triton
import triton.language as tl

from mlsys.core.lowbit import BLOCK
from mlsys.kernels.triton_kernel import _base
from mlsys.kernels.word_triton import (
    bfloat16_code,
    bfloat16_value,
    bits,
    scramble,
    signed_code,
    signed_offset,
    signed_value,
    squares_code,
    squares_offset,
    squares_value,
)

SHARED = tl.constexpr(BLOCK)  # numbers that share an offset


@triton.jit
def _cuts(i, first, key, BITS: tl.constexpr, NEAREST: tl.constexpr):
    """What is added to the bits that are cut off, for m and for v, and whether ties go to even codes."""
    if NEAREST:
        return (1 << (BITS - 1)) - 1, (1 << (BITS - 1)) - 1, 1
    else:
        random = scramble((i + first).to(tl.int32) + key)
        return (random >> (32 - BITS)) & ((1 << BITS) - 1), random & ((1 << BITS) - 1), 0


@triton.jit
def _bfloat16(
    table,
    columns,
    t,
    block,
    size,
    c,
    d,
    key,
    BODY: tl.constexpr,
    BEFORE: tl.constexpr,
    NEAREST: tl.constexpr,
    ELEMENTS: tl.constexpr,
    ALIGNED: tl.constexpr,
):
    """One block of one tensor, in bfloat16."""
    if ALIGNED:  # said in arithmetic, so that the compiler knows it of the mask too
        size = size // 16 * 16
    i = block * ELEMENTS + tl.arange(0, ELEMENTS)
    inside = i < size
    at_w = _base(table, 0, columns, t, tl.float32, ALIGNED) + i
    at_g = _base(table, 1, columns, t, tl.float32, ALIGNED) + i
    at_m = _base(table, 2, columns, t, tl.int16, ALIGNED) + i
    at_v = _base(table, 3, columns, t, tl.int16, ALIGNED) + i
    w = tl.load(at_w, mask=inside, other=0.0)
    g = tl.load(at_g, mask=inside, other=0.0)
    m = bfloat16_value(tl.load(at_m, mask=inside, other=0).to(tl.int32))
    v = bfloat16_value(tl.load(at_v, mask=inside, other=0).to(tl.int32))
    if BEFORE is not None:
        w, g = BEFORE(w, g, *d)
    w, m, v = BODY(w, g, m, v, *c)
    cut_m, cut_v, even = _cuts(i, tl.load(table + 4 * columns + t), key, 16, NEAREST)
    tl.store(at_w, w, mask=inside)
    tl.store(at_m, bfloat16_code(m, cut_m, even).to(tl.int16), mask=inside)
    tl.store(at_v, bfloat16_code(v, cut_v, even).to(tl.int16), mask=inside)


@triton.jit
def _bytes(
    table,
    columns,
    t,
    block,
    size,
    c,
    d,
    key,
    BODY: tl.constexpr,
    BEFORE: tl.constexpr,
    NEAREST: tl.constexpr,
    ELEMENTS: tl.constexpr,
    ALIGNED: tl.constexpr,
):
    """One block of one tensor, in 8 bits: ELEMENTS / 256 rows that share an offset each."""
    if ALIGNED:
        size = size // 16 * 16
    rows = block * (ELEMENTS // SHARED) + tl.arange(0, ELEMENTS // SHARED)
    i = rows[:, None] * SHARED + tl.arange(0, SHARED)[None, :]
    inside, begun = i < size, rows * SHARED < size
    at_w = _base(table, 0, columns, t, tl.float32, ALIGNED) + i
    at_g = _base(table, 1, columns, t, tl.float32, ALIGNED) + i
    at_m = _base(table, 2, columns, t, tl.uint8, ALIGNED) + i
    at_v = _base(table, 3, columns, t, tl.uint8, ALIGNED) + i
    at_x = _base(table, 4, columns, t, tl.float32, False) + rows
    at_y = _base(table, 5, columns, t, tl.float32, False) + rows
    w = tl.load(at_w, mask=inside, other=0.0)
    g = tl.load(at_g, mask=inside, other=0.0)
    x = tl.load(at_x, mask=begun, other=1.0)
    y = tl.load(at_y, mask=begun, other=1.0)
    m = signed_value(tl.load(at_m, mask=inside, other=0).to(tl.int32), x[:, None])
    v = squares_value(tl.load(at_v, mask=inside, other=0).to(tl.int32), y[:, None])
    if BEFORE is not None:
        w, g = BEFORE(w, g, *d)
    w, m, v = BODY(w, g, m, v, *c)
    x = signed_offset(tl.max(bits(m) & 0x7FFFFFFF, 1))
    y = squares_offset(tl.max(bits(v) & 0x7FFFFFFF, 1))
    cut_m, cut_v, even = _cuts(i, tl.load(table + 6 * columns + t), key, 20, NEAREST)
    tl.store(at_w, w, mask=inside)
    tl.store(at_m, signed_code(m, x[:, None], cut_m, even).to(tl.uint8), mask=inside)
    tl.store(at_v, squares_code(v, y[:, None], cut_v, even).to(tl.uint8), mask=inside)
    tl.store(at_x, x, mask=begun)
    tl.store(at_y, y, mask=begun)


@triton.jit(do_not_specialize=["columns"])
def step(
    table,
    work,
    scalars,
    columns,
    SPAN: tl.constexpr,
    ROWS: tl.constexpr,
    BODY: tl.constexpr,
    BEFORE: tl.constexpr,
    NEAREST: tl.constexpr,
    C: tl.constexpr,
    D: tl.constexpr,
    ELEMENTS: tl.constexpr,
):
    """table (ROWS + 1, columns) int64 : addresses of w, g, the codes and the offsets; the place of w's first
    number; in the last row 1 where aligned
    work (programs, 3) int64 : tensor, which of its blocks, its size
    scalars (C + D + 1,) float64 : the coefficients, rounded to float32 here, and the step's key
    """
    program = tl.program_id(0).to(tl.int64)
    t = tl.load(work + 3 * program)
    block = tl.load(work + 3 * program + 1)
    size = tl.load(work + 3 * program + 2)
    c = [tl.load(scalars + k).to(tl.float32) for k in C]
    d = [tl.load(scalars + k).to(tl.float32) for k in D]
    key = tl.load(scalars + len(C) + len(D)).to(tl.int32)
    if tl.load(table + ROWS * columns + t) == 1:
        SPAN(table, columns, t, block, size, c, d, key, BODY, BEFORE, NEAREST, ELEMENTS, True)
    else:
        SPAN(table, columns, t, block, size, c, d, key, BODY, BEFORE, NEAREST, ELEMENTS, False)


SPANS = {"bfloat16": _bfloat16, "8bit": _bytes}
