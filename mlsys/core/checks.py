"""Argument checks whose errors name the argument, its value and the remedy."""

from __future__ import annotations

import math
import operator
from typing import Any


def real(**named: Any) -> float:
    """The one named argument as a finite float."""
    ((name, value),) = named.items()
    try:
        if isinstance(value, str):  # float("0.1") would be a number, and hide a mistake
            raise TypeError("a string")
        number = float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} must be a real number; got {value!r} of type {type(value).__name__}."
        ) from error
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite; got {value!r}.")
    return number


def positive(**named: Any) -> float:
    """The one named argument as a finite float > 0."""
    number = real(**named)
    if number <= 0:
        ((name, value),) = named.items()
        raise ValueError(f"{name} must be > 0; got {value!r}. Pass a positive number.")
    return number


def nonnegative(**named: Any) -> float:
    """The one named argument as a finite float >= 0."""
    number = real(**named)
    if number < 0:
        ((name, value),) = named.items()
        raise ValueError(f"{name} must be >= 0; got {value!r}. Pass zero or a positive number.")
    return number


def fraction(**named: Any) -> float:
    """The one named argument as a float in [0, 1)."""
    number = real(**named)
    if not 0 <= number < 1:
        ((name, value),) = named.items()
        raise ValueError(f"{name} must lie in [0, 1); got {value!r}. Decay factors are often 0.9 to 0.999.")
    return number


def whole(minimum: int = 0, /, **named: Any) -> int:
    """The one named argument as an int >= minimum."""
    ((name, value),) = named.items()
    try:
        number = operator.index(value)
    except TypeError as error:
        raise TypeError(f"{name} must be a whole number; got {value!r}. Pass an int.") from error
    if number < minimum:
        raise ValueError(f"{name} must be >= {minimum}; got {number}.")
    return number


def kind(array: Any) -> str:
    """'numpy', 'torch.cpu', 'torch.cuda' …: where the array lives; the key of every dispatch table."""
    module = type(array).__module__.partition(".")[0]
    if module == "torch" or hasattr(array, "data_ptr"):
        return f"torch.{array.device.type}"
    if module == "numpy":
        return "numpy"
    raise TypeError(
        f"expected a numpy array or a torch tensor; got {type(array).__name__}. Convert with np.asarray(...)."
    )


def is_floating(array: Any) -> bool:
    """Whether the array's dtype is a floating-point one."""
    return array.dtype.kind == "f" if kind(array) == "numpy" else array.dtype.is_floating_point


def same_kind(**named: Any) -> None:
    """Raise unless all named arrays are floating and agree in library, device, dtype and shape."""
    names = list(named)
    first_name, first = names[0], named[names[0]]
    if not is_floating(first):
        raise TypeError(
            f"{first_name} must hold floating-point numbers; got dtype {first.dtype}. Convert it to float64."
        )
    for name in names[1:]:
        other = named[name]
        for what, a, b in (
            ("kind", kind(first), kind(other)),
            ("dtype", first.dtype, other.dtype),
            ("shape", tuple(first.shape), tuple(other.shape)),
        ):
            if a != b:
                raise ValueError(
                    f"{name} and {first_name} must agree in {what}; {name} has {b}, {first_name} has {a}."
                )
