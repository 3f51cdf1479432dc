"""The one-cycle schedule of rate and momentum, in straight legs."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array, number, parts
from mlsys.problems.problem import Arrays, Case, Problem

AFTER = 3  # steps that are asked for beyond the last


def cases(rng: np.random.Generator) -> list[Case]:
    """Schedules of several shapes, each asked for at every step and a few beyond."""

    def case(title: str, up: int, down: int, tail: int, **more: float) -> Case:
        peak = float(rng.uniform(0.2, 0.9))
        low = float(rng.uniform(0.8, 0.86))
        given = {
            "legs": (up, down, tail),
            "rates": (peak / more.get("start", 10.0), peak, peak / more.get("final", 1000.0)),
            "momenta": (low, low + 0.1),
        }
        return Case(title, given)

    return [
        case("four steps up, four down, two of tail", 4, 4, 2),
        case("up and down in legs of different length", 3, 9, 4),
        case("the peak at half of all steps", 10, 7, 3),
        case("the peak at the first step", 1, 5, 2),
        case("a long tail", 2, 2, 12),
        case("a start that is not much below the peak", 6, 6, 3, start=1.5, final=50.0),
        case("forty steps", 18, 18, 4, start=25.0, final=1e5),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """Rate and momentum at each step, and a few steps beyond the last."""
    given = case.given
    rates, momenta = [], []
    for t in range(1, sum(given["legs"]) + AFTER + 1):
        rate, momentum = parts(
            answer(t, *(given[k] for k in ("legs", "rates", "momenta"))), "rate", "momentum", rows=False
        )
        rates.append(number(rate, "rate, the first of the two,"))
        momenta.append(number(momentum, "momentum, the second of the two,"))
    return {"rate": array(rates), "momentum": array(momenta)}


def replay(case: Case) -> str:
    """The calls, as code."""
    legs, rates, momenta = (
        tuple(x if isinstance(x, int) else float(f"{x:.6g}") for x in case.given[key])
        for key in ("legs", "rates", "momenta")
    )
    return "\n".join(
        [
            f"for t in range(1, {sum(legs) + AFTER + 1}):",
            f"    print(t, one_cycle(t, {legs}, {rates}, {momenta}))",
        ]
    )


PROBLEM = Problem("onecycle.schedule", "one_cycle", 2.0, cases, drive, replay)
