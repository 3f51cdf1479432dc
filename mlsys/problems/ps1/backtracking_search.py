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
        longest = (
            2 * (1 - c) * (g @ g) / (g @ (curvature * g))
        )  # the longest step that Armijo's condition accepts
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
        case("accepted with the last evaluation that the limit allows", 2, 0.1, 0.5, spare=0),
        case("the direction leads uphill: no step is accepted", 2, 1e-4, 0.5, spare=3, uphill=True),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """One search, with an f that counts its calls."""
    given, calls = case.given, 0

    def f(w: Any) -> float:
        nonlocal calls
        calls += 1
        if calls > 20 * given["limit"]:
            raise Unfit(
                f"f was evaluated more than {calls - 1} times, with limit = {given['limit']}. Does the search end?"
            )
        away = array(w, "the argument of f", given["w"].shape) - given["centre"]
        return float(away @ (given["curvature"] * away)) / 2

    arguments = [given[key] for key in ("first", "shrink", "c", "limit")]
    step, evaluations = parts(
        answer(f, given["w"].copy(), given["g"].copy(), *arguments), "step", "evaluations", rows=False
    )
    return {
        "step": number(step, "step"),
        "evaluations": number(evaluations, "evaluations"),
        "calls": np.asarray(float(calls)),
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
