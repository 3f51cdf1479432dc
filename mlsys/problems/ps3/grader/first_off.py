"""The first number that is not what it should be, in the words of the exercise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlsys.problems.coerce import short
from mlsys.problems.compare import differs
from mlsys.problems.problem import Arrays, Verdict


def first_off(
    arrays: Arrays, expected: Arrays, told: Callable[[str, int], str], rtol: float = 1e-5, atol: float = 1e-6
) -> Verdict:
    """Full score if every array is as expected; else what `told(name, i)` says of the first entry that is not.

    rtol, atol : as in `compare.close`
    """
    for name, want in expected.items():
        got = arrays.get(name)
        if got is None or got.shape != want.shape:
            return Verdict(
                0.0, f"{name} should have shape {want.shape}; it has {None if got is None else got.shape}."
            )
        off = np.flatnonzero(differs(got, want, rtol, atol))
        if off.size:
            i = int(off[0])
            said = f"{told(name, i)} should be {short(want.ravel()[i])}; it is {short(got.ravel()[i])}."
            return Verdict(0.0, said)
    return Verdict(1.0)
