"""Backtracking line search that counts what it spends."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import Unfit, array, literal, number, parts
from mlsys.problems.problem import Arrays, Case, Problem


def cases(rng: np.random.Generator) -> list[Case]:
    """Quadratics on which the number of trials is known, and none is accepted or rejected by a hair."""

    def case(
        title: str,
        rejected: int,
        c: float,
        shrink: float,
        spare: int = 5,
        d: int = 3,
        uphill: bool = False,
        a: float = 1.0,
    ) -> Case:
        curvature, centre, w = a * rng.uniform(0.5, 2, size=d), rng.normal(size=d), 3 + rng.normal(size=d)
        g = curvature * (w - centre)
        # the longest step that Armijo's condition accepts
        longest = 2 * (1 - c) * (g @ g) / (g @ (curvature * g))
        first = longest * shrink ** (rng.uniform(0.3, 0.7) - rejected)
        search = {"w": w, "g": -g if uphill else g, "first": float(first), "shrink": shrink, "c": c}
        return Case(
            title, {**search, "curvature": curvature, "centre": centre, "limit": 2 + rejected + spare}
        )

    return [
        case("the first step is accepted", 0, 1e-4, 0.5),
        case("three steps are rejected, the fourth is accepted", 3, 0.1, 0.5),
        case("a large c: much decrease is asked for", 2, 0.7, 0.5),
        case("slow shrinking", 6, 0.3, 0.9),
        case("a single weight, d = 1", 1, 0.5, 0.3, d=1),
        case("steep: curvatures of a thousand", 4, 0.2, 0.25, a=1000.0),
        case("gentle: curvatures of a hundredth", 1, 0.3, 0.7, a=0.01),
        _exact(rng),
        case("accepted with the last evaluation that the limit allows", 2, 0.1, 0.5, spare=0),
        case("the direction leads uphill: no step is accepted", 2, 1e-4, 0.5, spare=3, uphill=True),
    ]


def _exact(rng: np.random.Generator) -> Case:
    """The third step decreases f by just what c = 1/2 asks for; in powers of two, where nothing is rounded."""
    a, w = 2.0 ** rng.integers(-3, 4), np.array([rng.choice([-1, 1]) * 2.0 ** rng.integers(-2, 3)])
    search = {"w": w, "g": a * w, "first": 4 / a, "shrink": 0.5, "c": 0.5}
    bowl = {"curvature": np.array([a]), "centre": np.zeros(1)}
    return Case("the decrease is exactly what is asked for", {**search, **bowl, "limit": 8})


def value(given: dict[str, Any], w: np.ndarray) -> float:
    """f at w."""
    away = w - given["centre"]
    return float(away @ (given["curvature"] * away)) / 2


def drive(answer: Any, case: Case) -> Arrays:
    """One search, and the points at which it asked for f."""
    given = case.given
    points: list[np.ndarray] = []

    def f(w: Any) -> float:
        if len(points) == 20 * given["limit"]:
            raise Unfit(
                f"f was evaluated more than {len(points)} times. Does the search end? limit = {given['limit']} is the "
                "largest number of evaluations allowed, f(w) included."
            )
        points.append(array(w, "the argument of f", given["w"].shape))
        return value(given, points[-1])

    arguments = [given[key] for key in ("first", "shrink", "c", "limit")]
    result = answer(f, given["w"].copy(), given["g"].copy(), *arguments)
    step, evaluations = parts(result, "step", "evaluations", rows=False)
    return {
        "step": number(step, "step"),
        "evaluations": number(evaluations, "evaluations"),
        "points": np.array(points).reshape(-1, len(given["w"])),
    }


def replay(case: Case) -> str:
    """The search, as code."""
    given = {key: literal(value) for key, value in case.given.items()}
    arguments = ", ".join(given[key] for key in ("w", "g", "first", "shrink", "c", "limit"))
    return (
        f"a, centre = {given['curvature']}, {given['centre']}\n"
        f"f = lambda w: float(np.sum(a * (np.asarray(w) - centre) ** 2)) / 2\n"
        f"print(backtrack(f, {arguments}))"
    )


PROBLEM = Problem("backtracking.search", "backtrack", 3.0, cases, drive, replay)
