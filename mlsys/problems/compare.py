"""What an answer gave, held against what is expected."""

from __future__ import annotations

import numpy as np

from mlsys.problems.coerce import short
from mlsys.problems.problem import Arrays, Verdict


def close(
    arrays: Arrays, expected: Arrays, rtol: float = 1e-5, atol: float = 1e-6, row: str = "after step"
) -> Verdict:
    """Full score if every expected array is there, finite, of the right shape, and equal within rounding.

    The first axis counts steps, or what `row` says. A number may differ from the expected one by rtol times it, or
    by atol times the largest that it is at any step: float32 passes, and so does any order of summation.
    """
    for name, want in expected.items():
        got = arrays.get(name)
        if got is None:
            return Verdict(0.0, f"{name} is missing.")
        if got.shape != want.shape:
            return Verdict(0.0, f"{name} should have shape {want.shape}; it has shape {got.shape}.")
        off = differs(got, want, rtol, atol)
        if off.any():
            return Verdict(0.0, _difference(name, got, want, off, row))
    return Verdict(1.0)


def alike(arrays: Arrays, expected: Arrays) -> bool:
    """Whether `close` would give the full score; no message is made."""
    return all(
        name in arrays and arrays[name].shape == want.shape and not differs(arrays[name], want).any()
        for name, want in expected.items()
    )


def differs(got: np.ndarray, want: np.ndarray, rtol: float = 1e-5, atol: float = 1e-6) -> np.ndarray:
    """Where the two differ by more than rounding; nan equals nan."""
    with np.errstate(all="ignore"):
        size = np.where(np.isfinite(want), np.abs(want), 0.0)
        largest = size.max(axis=0, initial=0.0) if size.ndim else size
        near = np.abs(got - want) <= np.where(np.isfinite(want), rtol * size + atol * largest, 0.0)
    return ~(near | (got == want) | (np.isnan(got) & np.isnan(want)))


def _difference(name: str, got: np.ndarray, want: np.ndarray, off: np.ndarray, row: str) -> str:
    """What is expected and what came, at the first step where they differ."""
    if got.ndim and len(got) > 1:
        t = int(np.argmax(off.reshape(len(off), -1).any(axis=1)))
        name += f" {row} {t + 1}" + (", the first that differs," if t else "")
        got, want = got[t], want[t]
    elif got.ndim:
        got, want = got[0], want[0]
    return f"{name} should be {short(want)}; it is {short(got)}."
