"""From what a student's code returned to plain float arrays, or to a sentence that says what to return."""

from __future__ import annotations

import types
from typing import Any

import numpy as np


class Unfit(Exception):
    """An answer's result cannot be judged; the message, shown as it is, says what should be returned."""


def array(value: Any, name: str = "the result", shape: tuple[int, ...] | None = None) -> np.ndarray:
    """A plain float64 array, whatever the student's object is: a list, a tensor, an array of any dtype.

    Raises Unfit where there is nothing numeric in it, or if its shape is not the one asked for. Coercion strips
    subclasses, so that an object whose __eq__ always agrees gains nothing.
    """
    try:
        plain = np.array(_numbers(value), dtype=np.float64, subok=False)
    except Exception as error:
        raise Unfit(f"{name} should be an array of numbers; it is {_shown(value)}") from error
    if shape is not None and plain.shape != shape:
        short_of = len(shape) == plain.ndim == 1 and plain.size < shape[0]
        raise Unfit(
            f"{name} should have shape {shape}; it has shape {plain.shape}."
            + " Does a loop over the coordinates end too early?" * short_of
        )
    return plain


def number(value: Any, name: str) -> np.ndarray:
    """A 0-d array from a number, or from an array or tensor that holds just one. Raises Unfit otherwise."""
    try:
        plain = array(value, name)
    except Unfit as unfit:
        raise Unfit(f"{name} should be one number; it is {_shown(value)}") from unfit
    if plain.size != 1:
        raise Unfit(f"{name} should be one number; it has shape {plain.shape}.")
    return plain.reshape(())


def parts(value: Any, *names: str, rows: bool = True) -> list[Any]:
    """The named parts of a result, in their order: of a tuple or a list, or the rows of an array.

    rows : whether a part may be a vector; if not, an array of numbers will do
    Raises Unfit if there are not as many parts as names.
    """
    wanted = f"return ({', '.join(names)})"
    if isinstance(value, tuple | list):
        if len(value) != len(names):
            raise Unfit(f"{wanted}: got {len(value)} values instead of {len(names)}.")
        return list(value)
    shape = getattr(value, "shape", None)
    if shape is None or isinstance(value, np.generic):
        raise Unfit(f"{wanted}: got {_shown(value)}")
    if len(shape) < 1 + rows or shape[0] != len(names):
        raise Unfit(f"{wanted}: got a single array of shape {tuple(shape)}.")
    return [value[i] for i in range(len(names))]


def short(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, np.ndarray | np.number):
        value = np.asarray(value)
        if value.ndim == 0:
            x = float(value)
            return f"{int(x):,}" if x.is_integer() and abs(x) < 1e15 else f"{x:.6g}"
        text = np.array2string(value, precision=5, threshold=6, edgeitems=3, max_line_width=200)
        return text.replace("\n", "")
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _shown(value: Any) -> str:
    """A value that is no answer, with a full stop, and what None or an iterator mostly means."""
    if isinstance(value, map | zip | filter | types.GeneratorType):
        kind = type(value).__name__
        return f"a {kind}, which holds no numbers until it is run through: make a list of it, list(...)."
    return f"{short(value)}." + " Is there a return?" * (value is None)


def literal(value: Any) -> str:
    """A number or an array as code that a student can paste, in six digits."""
    if isinstance(value, np.ndarray | list | tuple):
        rows = [literal(item).removeprefix("np.array(").removesuffix(")") for item in value]
        return f"np.array([{', '.join(rows)}])"
    return repr(value) if isinstance(value, int) else repr(float(f"{float(value):.6g}"))


def _numbers(value: Any) -> Any:
    """The value with its tensors made arrays, those inside lists and tuples too."""
    if hasattr(value, "detach"):
        return value.detach().cpu().double().numpy()
    if isinstance(value, list | tuple):
        return [_numbers(item) for item in value]
    if value is None or isinstance(value, str):
        raise TypeError("not a number")
    return np.asarray(value, dtype=np.float64)
