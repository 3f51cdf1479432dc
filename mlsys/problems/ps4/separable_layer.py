"""A depthwise-separable layer, and what it costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array, literal, number, parts
from mlsys.problems.problem import Arrays, Case, Problem


def cases(rng: np.random.Generator) -> list[Case]:
    """Small images, of several shapes and strides."""

    def case(
        title: str, c: int, h: int, w: int, o: int, k: int = 3, stride: int = 1, size: float = 1.0
    ) -> Case:
        depth = size * (rng.normal(size=(c, k, k)) + 0.2)
        given = {"x": rng.uniform(0.5, 2, size=(c, h, w)), "depth": depth, "point": rng.normal(size=(o, c))}
        return Case(title, {**given, "stride": stride})

    return [
        case("two channels, 4 by 4", 2, 4, 4, 3),
        case("one channel in, one out", 1, 4, 4, 1),
        case("not square", 2, 3, 6, 2),
        case("stride 2 on 6 by 6", 3, 6, 6, 2, stride=2),
        case("stride 2 on 5 by 7: the last row and column count", 2, 5, 7, 3, stride=2),
        case("stride 3", 2, 7, 8, 2, stride=3),
        case("a kernel of 5 by 5", 2, 6, 6, 2, k=5),
        case("a kernel of 1 by 1", 3, 3, 3, 2, k=1),
        case("a kernel wider than the image", 2, 2, 2, 2, k=5),
        case("large weights: much is cut at 6", 2, 5, 5, 3, size=2.0),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """The output, pixel by pixel, and a count."""
    given = case.given
    _, h, w = given["x"].shape
    stride = given["stride"]
    result = answer(*(given[key].copy() for key in ("x", "depth", "point")), stride)
    y, work = parts(result, "y", "work")
    shape = (len(given["point"]), -(-h // stride), -(-w // stride))
    return {"work": number(work, "work"), "y": array(y, "y", shape).ravel()}


def replay(case: Case) -> str:
    """The call, as code."""
    given = case.given
    lines = [f"{key} = {literal(given[key])}" for key in ("x", "depth", "point")]
    return "\n".join([*lines, f"print(separable(x, depth, point, {given['stride']}))"])


PROBLEM = Problem("separable.layer", "separable", 3.0, cases, drive, replay)
