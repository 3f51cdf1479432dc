"""The online problem on which Adam walks away from the best point, and what that costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import Unfit, array, literal, parts
from mlsys.problems.problem import Arrays, Case, Problem

SETTINGS = ("start", "C", "period", "eta", "beta2", "keep_max", "steps")


def cases(rng: np.random.Generator) -> list[Case]:
    """Both methods, several sizes of the rare gradient, and one where the other end of the interval is best."""

    def case(
        title: str, C: float, period: int, eta: float, beta2: float, steps: int, keep_max: bool = False
    ) -> Case:
        start = float(rng.uniform(0.2, 0.5))
        return Case(title, dict(zip(SETTINGS, (start, C, period, eta, beta2, keep_max, steps), strict=True)))

    C = float(rng.uniform(3, 5))
    paper = 1 / (1 + C**2)
    return [
        case("two rounds", C, 3, 0.05, 0.6, 2),
        case("Adam, as the paper sets it: it ends at the worst point", C, 3, 0.5, paper, 90),
        case("AMSGrad on the same", C, 3, 0.5, paper, 90, keep_max=True),
        case("Adam with a longer memory", C, 3, 0.3, 0.99, 60),
        case("a rarer gradient", float(rng.uniform(6, 8)), 6, 0.4, 0.1, 60),
        case("a rarer gradient, AMSGrad", float(rng.uniform(6, 8)), 6, 0.4, 0.1, 60, keep_max=True),
        case("C below period - 1: now +1 is the best point", float(rng.uniform(1.2, 1.6)), 4, 0.2, 0.9, 40),
        case("the same with AMSGrad", float(rng.uniform(1.2, 1.6)), 4, 0.2, 0.9, 40, keep_max=True),
        case("steps longer than the interval", C, 3, 3.0, 0.3, 12),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """The points and the average regret at each of them."""
    result = parts(answer(*(case.given[name] for name in SETTINGS)), "points", "regret")
    shape = (case.given["steps"],)
    if np.shape(array(result[0], "points")) == (shape[0] + 1,):
        raise Unfit(f"There is a point more than the {shape[0]} rounds: after the last one nothing is paid.")
    return {name: array(x, name, shape) for name, x in zip(("points", "regret"), result, strict=True)}


def replay(case: Case) -> str:
    """The call, as code."""
    given = ", ".join(str(x) if isinstance(x, int) else literal(x) for x in (case.given[n] for n in SETTINGS))
    return f'points, regret = online({given})\nprint(np.asarray(points), np.asarray(regret), sep="\\n")'


PROBLEM = Problem("adam.counterexample", "online", 3.0, cases, drive, replay)
