"""The generic multi-tensor kernel: any rule's body, one launch for all the parameters.

Traffic of an element: 2 + slots loads, 1 + slots stores, every load masked. A tensor whose addresses and size
are multiples of 16 bytes is read and written 16 bytes at a time, any other element by element.
"""

# mypy: ignore-errors
# (Triton compiles this source itself; its annotations and calls are not Python's.)

import triton
import triton.language as tl


@triton.jit
def _base(table, row, columns, t, REAL: tl.constexpr, ALIGNED: tl.constexpr):
    """The address in one row of the table, as a pointer."""
    pointer = tl.load(table + row * columns + t).to(tl.pointer_type(REAL))
    if ALIGNED:
        pointer = tl.multiple_of(pointer, 16)
    return pointer


@triton.jit
def _span(
    table,
    columns,
    t,
    block,
    size,
    c,
    d,
    BODY: tl.constexpr,
    BEFORE: tl.constexpr,
    SLOTS: tl.constexpr,
    REAL: tl.constexpr,
    BLOCK: tl.constexpr,
    ALIGNED: tl.constexpr,
):
    """One block of one tensor."""
    if (
        ALIGNED
    ):  # the size is such a multiple: said in arithmetic, so that the compiler knows it of the mask too
        size = size // (128 // REAL.primitive_bitwidth) * (128 // REAL.primitive_bitwidth)
    i = block * BLOCK + tl.arange(0, BLOCK)
    inside = i < size
    at_w = _base(table, 0, columns, t, REAL, ALIGNED) + i
    at_g = _base(table, 1, columns, t, REAL, ALIGNED) + i
    at_slots = [_base(table, k, columns, t, REAL, ALIGNED) + i for k in SLOTS]
    w = tl.load(at_w, mask=inside, other=0.0)
    g = tl.load(at_g, mask=inside, other=0.0)
    slots = [tl.load(at, mask=inside, other=0.0) for at in at_slots]
    if BEFORE is not None:
        w, g = BEFORE(w, g, *d)
    results = BODY(w, g, *slots, *c)
    tl.store(at_w, results[0], mask=inside)
    for k in tl.static_range(len(SLOTS)):
        tl.store(at_slots[k], results[k + 1], mask=inside)


@triton.jit(do_not_specialize=["columns"])
def step(
    table,
    work,
    scalars,
    columns,
    BODY: tl.constexpr,
    BEFORE: tl.constexpr,
    SLOTS: tl.constexpr,
    C: tl.constexpr,
    D: tl.constexpr,
    REAL: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """table (2 + slots, columns) int64 : addresses of w, g and the slots;  the row after them : 1 where aligned
    work (programs, 3) int64 : tensor, which of its blocks, its size
    scalars (C + D,) float64 : the coefficients, rounded to REAL here, so that a changed rate compiles nothing
    """
    program = tl.program_id(0).to(tl.int64)
    t = tl.load(work + 3 * program)
    block = tl.load(work + 3 * program + 1)
    size = tl.load(work + 3 * program + 2)
    c = [tl.load(scalars + k).to(REAL) for k in C]
    d = [tl.load(scalars + k).to(REAL) for k in D]
    if tl.load(table + (len(SLOTS) + 2) * columns + t) == 1:
        _span(table, columns, t, block, size, c, d, BODY, BEFORE, SLOTS, REAL, BLOCK, True)
    else:
        _span(table, columns, t, block, size, c, d, BODY, BEFORE, SLOTS, REAL, BLOCK, False)
