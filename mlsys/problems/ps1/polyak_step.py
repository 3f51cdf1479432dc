"""Polyak's step length, with a target that may be an estimate and a cap on the step."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import Unfit, array, literal, number, parts
from mlsys.problems.problem import Arrays, Case, Problem


def cases(rng: np.random.Generator) -> list[Case]:
    """On f(w) = lowest + sum(a (w - centre)**2) / 2: f* known, guessed too high, guessed too low; at the bottom.

    Every case has a point from which to move, so that doing nothing earns nothing.
    """

    def case(
        title: str, a: Any, *away: float, above: float = 0.0, cap: float = 1e9, bottom: Any = None
    ) -> Case:
        a = np.asarray(a, dtype=float)
        # far from 0, so that no weight ends near it, where float32 would lose digits
        centre = rng.choice([-1, 1], size=len(a)) * rng.uniform(5, 6, size=len(a))
        lowest = float(rng.normal()) if bottom is None else bottom
        offsets = rng.choice([-1, 1], size=(len(away), len(a))) * rng.uniform(
            0.5, 2, size=(len(away), len(a))
        )
        points = centre + np.array(away)[:, None] * offsets
        bowl = {"a": a, "centre": centre, "lowest": lowest, "points": points}
        return Case(title, {**bowl, "target": lowest + above, "cap": cap})

    flat = 1e-13 * rng.uniform(1, 4, size=2)
    scales = 10.0 ** rng.permutation([-3.0, -1.0, 1.0, 3.0])
    return [
        case("f* known, one step", rng.uniform(0.5, 2, size=2), 1),
        case("f* known, a single weight (d = 1)", rng.uniform(0.5, 5, size=1), 1, 1, 1),
        case("f* known, from six points of a narrow valley", [1.0, 10.0, 3.0], *[1] * 6),
        case("f* known, curvatures from 0.001 to 1000", scales, 1, 1, 1, 1),
        case("f* known, very flat: g is small, and not zero", flat, 1, 1, cap=1e18, bottom=0.0),
        case(
            "the estimate of f* is too high: f above it, then below",
            rng.uniform(0.5, 2, size=3),
            4,
            0.1,
            above=1.0,
        ),
        case("the estimate of f* is too low: cap holds", [1.0, 2.0], *[0.1] * 4, cap=0.3, above=-5.0),
        case("f* known, then at the minimum itself", [1.0, 2.0], 1, 0),
        case(
            "the estimate of f* too low, then the gradient zero", [1.0, 2.0, 3.0], 1, 0, cap=0.7, above=-1.0
        ),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """One step from each point: the step lengths, and where they led."""
    given = case.given
    lengths, ends = [], []
    for point in given["points"]:
        g = given["a"] * (point - given["centre"])
        value = float(given["lowest"] + g @ (point - given["centre"]) / 2)
        result = answer(point.copy(), g, value, given["target"], given["cap"])
        alpha, w = parts(result, "alpha", "w")
        try:
            lengths.append(number(alpha, "alpha, the first of the two,"))
            ends.append(array(w, "w", point.shape))
        except Unfit as unfit:
            swapped = np.shape(alpha) == point.shape and np.shape(w) == ()
            raise Unfit(f"{unfit} The order is (alpha, w)." if swapped else str(unfit)) from unfit
    return {"alpha": np.stack(lengths), "w": np.stack(ends)}


def replay(case: Case) -> str:
    """The steps, as code."""
    given, calls = case.given, []
    for point in given["points"]:
        g = given["a"] * (point - given["centre"])
        value = given["lowest"] + g @ (point - given["centre"]) / 2
        calls.append(", ".join(map(literal, (point, g, value, given["target"], given["cap"]))))
    return "\n".join(f"print(polyak_step({call}))" for call in calls)


PROBLEM = Problem("polyak.step", "polyak_step", 2.0, cases, drive, replay)
