"""Lifting by Numba: the source of a rule's body, unchanged, inside a loop over a table of addresses."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass

from mlsys.core import decay as decay_module


@dataclass(frozen=True)
class Signature:
    """What a kernel needs to know of a body(w, g, *slots, *coefficients).

    slots, coefficients : their names;  reads, writes : tensors that an element's update must read and write
    """

    slots: tuple[str, ...]
    coefficients: tuple[str, ...]

    @property
    def reads(self) -> int:
        return 2 + len(self.slots)

    @property
    def writes(self) -> int:
        return 1 + len(self.slots)


def signature(body: Callable, slots: int) -> Signature:
    """The body's arguments, the first `slots` of those after w and g being its slots.

    Raises NotImplementedError for a body that is a closure or has other arguments than plain ones.
    """
    parameters = inspect.signature(body).parameters.values()
    plain = all(p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty for p in parameters)
    names = tuple(p.name for p in parameters)
    if body.__closure__ or not plain or names[:2] != ("w", "g") or len(names) < 2 + slots:
        raise NotImplementedError(
            f"{body.__qualname__} cannot be lifted: a body is a module-level function of w, g, {slots} slots "
            f"and coefficients, without defaults; its arguments are {names}."
        )
    return Signature(names[2 : 2 + slots], names[2 + slots :])


def check_scalars(c: tuple[float, ...], d: tuple[float, ...] | None, wanted: int, decay: bool) -> None:
    """Raise ValueError unless c and d are what a kernel for `wanted` coefficients, with or without decay, takes."""
    if len(c) != wanted or (d is not None) != decay or (d is not None and len(d) != 3):
        raise ValueError(
            f"c must hold {wanted} numbers and d {'3 numbers' if decay else 'be None'}; got c={c} and d={d}."
        )


_KERNEL = '''
{body}

{decay}

def span({pointers}, start, stop, {scalars}):
    for i in range(start, stop):
        w_i = load(w, i)
        g_i = load(g, i)
{loads}{prelude}        {results} = {name}({arguments})
        store(w, i, w_i)
{stores}

def work(head):
    """Take units of work until none is left; any number of threads may do so at once."""
    units, columns = load(head, 1), load(head, 2)
    table, bounds = pointer(load(head, 3), int64), pointer(load(head, 4), int64)
    chunks, c = pointer(load(head, 5), int64), pointer(load(head, 6), real)
    unit = take(head)
    while unit < units:
        for k in range(load(bounds, unit), load(bounds, unit + 1)):
            t, start, stop = load(chunks, 3 * k), load(chunks, 3 * k + 1), load(chunks, 3 * k + 2)
            span({columns}, start, stop, {values})
        unit = take(head)
'''


def source(body: Callable, slots: int, decay: bool) -> str:
    """The kernel's source: the body's own text, the decay's where it is composed, and the loops around them."""
    s = signature(body, slots)
    pointers = [f"p{k}" for k in range(slots)]
    values = [f"x{k}" for k in range(slots)]
    coefficients = [f"c{k}" for k in range(len(s.coefficients))]
    scalars = coefficients + ["sign", "lam", "keep"] * decay
    return _KERNEL.format(
        body=inspect.getsource(body),
        decay=inspect.getsource(decay_module.body).replace("def body(", "def before(", 1) if decay else "",
        name=body.__name__,
        pointers=", ".join(["w", "g", *pointers]),
        scalars=", ".join(scalars),
        loads="".join(f"        {x} = load({p}, i)\n" for x, p in zip(values, pointers, strict=True)),
        prelude="        w_i, g_i = before(w_i, g_i, sign, lam, keep)\n" if decay else "",
        results="".join(f"{x}, " for x in ["w_i", *values]).rstrip(" "),
        arguments=", ".join(["w_i", "g_i", *values, *coefficients]),
        stores="".join(f"        store({p}, i, {x})\n" for x, p in zip(values, pointers, strict=True)),
        columns=", ".join(f"pointer(load(table, {k} * columns + t), real)" for k in range(s.reads)),
        values=", ".join(f"load(c, {k})" for k in range(len(scalars))),
    )


def digest(*parts: str) -> str:
    """A name for what these strings say."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
