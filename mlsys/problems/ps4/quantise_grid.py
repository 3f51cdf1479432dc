"""Symmetric and affine quantisation, a row at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array, literal, parts
from mlsys.problems.problem import Arrays, Case, Problem


def cases(rng: np.random.Generator) -> list[Case]:
    """Rows made from levels, so that none is rounded up or down by a hair but where that is the point."""

    def scales(rows: int) -> np.ndarray:
        return rng.uniform(0.01, 0.3, size=(rows, 1))

    def case(title: str, x: np.ndarray, bits: int, scheme: str, drop: int = 0, weight: float = 1.0) -> Case:
        return Case(
            title, {"x": rng.permuted(x, axis=1), "bits": bits, "scheme": scheme, "drop": drop}, weight
        )

    units = 10.0 ** np.array([[-4.0], [0.0], [3.0]])
    empty = np.concatenate([scales(1) * levels(rng, 1, 8, "symmetric", 7), np.zeros((1, 7))])
    halves = rng.integers(-20, 20, size=(2, 9)) + 0.5
    ties = np.concatenate([halves, [[7.0 * 16 + 15]] * 2], axis=1) / 8
    above = np.concatenate(
        [rng.integers(40, 200, size=(2, 7)) + rng.uniform(-0.4, 0.4, size=(2, 7)), [[255.0]] * 2], 1
    )
    outliers = levels(rng, 3, 8, "symmetric", 12)
    outliers[:, -2:] = 127 * rng.choice([-1, 1], size=(3, 2)) * rng.uniform(2, 9, size=(3, 2))
    wings = levels(rng, 2, 4, "affine", 14)
    wings[:, -2:] = 15 * rng.uniform(2, 9, size=(2, 2)) * [-1, 1]
    even = np.concatenate([halves, [[-100.0, 155.0]] * 2], axis=1) / 8
    return [
        case("symmetric, 8 bits", scales(2) * levels(rng, 2, 8, "symmetric", 8), 8, "symmetric"),
        case("affine, 8 bits", scales(2) * levels(rng, 2, 8, "affine", 8), 8, "affine"),
        case(
            "symmetric, 4 bits: seven levels to each side",
            scales(3) * levels(rng, 3, 4, "symmetric", 7),
            4,
            "symmetric",
        ),
        case("affine, 3 bits: eight levels", scales(3) * levels(rng, 3, 3, "affine", 7), 3, "affine"),
        case("symmetric, 2 bits: -1, 0 and 1", scales(2) * levels(rng, 2, 2, "symmetric", 6), 2, "symmetric"),
        case("rows in very different units", units * levels(rng, 3, 8, "symmetric", 6), 8, "symmetric"),
        case("affine, all above 0: 0 itself must have a level", scales(2) * above, 8, "affine"),
        case("affine, all below 0", -scales(2) * above, 8, "affine"),
        case("a row of zeros", empty, 8, "symmetric"),
        case("a row of zeros, affine", empty, 8, "affine"),
        case("halves, symmetric: away from 0", ties, 8, "symmetric", weight=2),
        case("halves, affine: away from 0", even, 8, "affine", weight=2),
        case("two outliers dropped: they saturate", scales(3) * outliers, 8, "symmetric", drop=2, weight=2),
        case("one outlier at each end dropped, affine", scales(2) * wings, 4, "affine", drop=1, weight=2),
    ]


def levels(rng: np.random.Generator, rows: int, bits: int, scheme: str, n: int) -> np.ndarray:
    """Rows of n numbers whose scale is 1, at most 0.4 off a level; the ends of the range first."""
    if scheme == "symmetric":
        top = 2 ** (bits - 1) - 1
        x = rng.integers(-top, top + 1, size=(rows, n)) + rng.uniform(-0.4, 0.4, size=(rows, n))
        x = np.clip(x, -top, top)
        x[:, 0] = top * rng.choice([-1, 1], size=rows)
        return x
    top = 2**bits - 1
    zero, off = rng.integers(1, top, size=rows), rng.uniform(-0.4, 0.4, size=rows)
    x = rng.integers(1, top, size=(rows, n)) + rng.uniform(-0.4, 0.4, size=(rows, n)) - zero[:, None]
    x[:, 0], x[:, 1] = -zero - off, top - zero - off
    return x


def drive(answer: Any, case: Case) -> Arrays:
    """Levels, scales and zero points."""
    given, x = case.given, case.given["x"]
    result = answer(x.copy(), given["bits"], given["scheme"], given["drop"])
    q, scale, zero = parts(result, "q", "scale", "zero")
    return {
        "scale": array(scale, "scale", (len(x),)),
        "zero": array(zero, "zero", (len(x),)),
        "q": array(q, "q", x.shape),
    }


def replay(case: Case) -> str:
    """The call, as code."""
    given = case.given
    call = f"quantise(x, {given['bits']}, {given['scheme']!r}, {given['drop']})"
    return f"x = {literal(given['x'])}\nq, scale, zero = {call}\nprint(q, scale, zero, sep='\\n')"


PROBLEM = Problem("quantise.grid", "quantise", 3.0, cases, drive, replay)
