"""The source of the CPU kernels for moments in fewer bits: the bodies' own text, and the loops around them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable

from mlsys.core import decay as decay_module
from mlsys.core import lowbit as codes
from mlsys.kernels import lifting

# What is added to the bits cut off, and whether ties go to even codes, by the random number r.
_CUTS = {
    ("bfloat16", "stochastic"): ("int32((r >> 16) & 0xFFFF)", "int32(r & 0xFFFF)", "0"),
    ("8bit", "stochastic"): ("int32((r >> 12) & 0xFFFFF)", "int32(r & 0xFFFFF)", "0"),
    ("bfloat16", "nearest"): ("0x7FFF", "0x7FFF", "1"),
    ("8bit", "nearest"): ("0x7FFFF", "0x7FFFF", "1"),
}
# One pass: each number is decoded, moved and coded again.
_BFLOAT16 = """
def span(w, g, p, q, start, stop, first, key, {scalars}):
    counter = int32(first + start + key)
    for i in range(start, stop):
        w_i = load(w, i)
        g_i = load(g, i)
        m_i = bfloat16_value(load(p, i))
        v_i = bfloat16_value(load(q, i))
{prelude}        w_i, m_i, v_i = {name}(w_i, g_i, m_i, v_i, {coefficients})
        store(w, i, w_i)
        {random}
        store(p, i, int16(bfloat16_code(m_i, {cut_m}, {even})))
        store(q, i, int16(bfloat16_code(v_i, {cut_v}, {even})))
"""
# Two passes over each block, the second from the first cache: its largest must be known before it is coded.
_BYTES = """
def block(w, g, p, q, x, y, b, start, count, first, key, {scalars}):
    counter = int32(first + key)
    m, v = scratch(real), scratch(real)
    offset_m, offset_v = load(x, b), load(y, b)
    most_m, most_v = int32(0), int32(0)
    for i in range(count):
        w_i = load(w, start + i)
        g_i = load(g, start + i)
        m_i = signed_value(load(p, start + i), offset_m)
        v_i = squares_value(load(q, start + i), offset_v)
{prelude}        w_i, m_i, v_i = {name}(w_i, g_i, m_i, v_i, {coefficients})
        store(w, start + i, w_i)
        store(m, i, m_i)
        store(v, i, v_i)
        most_m = max(most_m, int32(word.bits(m_i) & 0x7FFFFFFF))
        most_v = max(most_v, int32(word.bits(v_i) & 0x7FFFFFFF))
    offset_m, offset_v = signed_offset(most_m), squares_offset(most_v)
    store(x, b, offset_m)
    store(y, b, offset_v)
    for i in range(count):
        {random}
        store(p, start + i, uint8(signed_code(load(m, i), offset_m, {cut_m}, {even})))
        store(q, start + i, uint8(squares_code(load(v, i), offset_v, {cut_v}, {even})))

def span(w, g, p, q, x, y, start, stop, first, key, {scalars}):
    for b in range(start // {size}, stop // {size}):
        block(w, g, p, q, x, y, b, b * {size}, {size}, first + b * {size}, key, {scalars})
    whole = stop // {size} * {size}
    if whole < stop:
        block(w, g, p, q, x, y, stop // {size}, whole, stop - whole, first + whole, key, {scalars})
"""
_WORK = """
def work(head):
    \"\"\"Take units of work until none is left; any number of threads may do so at once.\"\"\"
    units, columns, key = load(head, 1), load(head, 2), load(head, 7)
    table, bounds = pointer(load(head, 3), int64), pointer(load(head, 4), int64)
    chunks, c = pointer(load(head, 5), int64), pointer(load(head, 6), real)
    unit = take(head)
    while unit < units:
        for k in range(load(bounds, unit), load(bounds, unit + 1)):
            t, start, stop = load(chunks, 3 * k), load(chunks, 3 * k + 1), load(chunks, 3 * k + 2)
            span({columns}, start, stop, load(table, {first} * columns + t), key, {values})
        unit = take(head)
"""


class _Narrow(ast.NodeTransformer):
    """Numba widens what integers give to 64 bits, and then half as many fit into a register: cut them back."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.Call:
        self.generic_visit(node)
        return ast.Call(ast.Name("narrow", ast.Load()), [node], [])


def narrowed(function: Callable) -> str:
    """The function's text with each operation's result held to 32 bits."""
    return ast.unparse(ast.fix_missing_locations(_Narrow().visit(ast.parse(inspect.getsource(function)))))


_LIFTED = {
    "bfloat16": ("scramble", "bfloat16_value", "bfloat16_code"),
    "8bit": (
        *("scramble", "signed_offset", "signed_value", "signed_code"),
        *("squares_offset", "squares_value", "squares_code"),
    ),
}
_COLUMNS = {
    "bfloat16": ("real", "real", "int16", "int16"),
    "8bit": ("real", "real", "uint8", "uint8", "real", "real"),
}


def source(body: Callable, moments: str, rounding: str, decay: bool) -> str:
    """The kernel's source for a rule's body(w, g, m, v, *c)."""
    coefficients = [f"c{k}" for k in range(len(lifting.signature(body, 2).coefficients))]
    scalars = coefficients + ["sign", "lam", "keep"] * decay
    cut_m, cut_v, even = _CUTS[moments, rounding]
    kinds = enumerate(_COLUMNS[moments])
    columns = [f"pointer(load(table, {k} * columns + t), {kind})" for k, kind in kinds]
    names = {
        "name": body.__name__,
        "scalars": ", ".join(scalars),
        "coefficients": ", ".join(coefficients),
        "prelude": "        w_i, g_i = before(w_i, g_i, sign, lam, keep)\n" if decay else "",
        "random": "r, counter = scramble(counter), narrow(counter + 1)" if rounding == "stochastic" else "",
        "cut_m": cut_m,
        "cut_v": cut_v,
        "even": even,
        "size": codes.BLOCK,
        "columns": ", ".join(columns),
        "first": len(columns),
        "values": ", ".join(f"load(c, {k})" for k in range(len(scalars))),
    }
    lifted = [inspect.getsource(body), *(narrowed(getattr(codes, name)) for name in _LIFTED[moments])]
    if decay:
        lifted.append(inspect.getsource(decay_module.body).replace("def body(", "def before(", 1))
    loops = {"bfloat16": _BFLOAT16, "8bit": _BYTES}[moments]
    return "\n\n".join([*lifted, loops.format(**names), _WORK.format(**names)])
