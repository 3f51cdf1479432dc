"""A run of AdamW as its paper has it: the decay follows the schedule, and not the rate."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import Unfit, array, literal
from mlsys.problems.problem import Arrays, Case, Problem

FIRST, ALONE = "the first step, without decay", "decay alone: the gradient is zero"
HYPER = ("eta", "lam", "beta1", "beta2", "delta")


def cases(rng: np.random.Generator) -> list[Case]:
    """Bowls of several shapes, the gradient being A @ (w - centre), and schedules of several kinds."""

    def case(title: str, curvature: Any, multipliers: Any, *settings: float) -> Case:
        A = np.asarray(curvature, dtype=float)
        A = np.diag(A) if A.ndim == 1 else A
        # far from 0, so that no weight ends near it, where float32 would lose digits
        centre = rng.choice([-1.0, 1.0], size=len(A)) * rng.uniform(4, 5, size=len(A))
        start = centre + rng.choice([-1.0, 1.0], size=len(A)) * rng.uniform(1, 2, size=len(A))
        given = {"w": start, "centre": centre, "A": A, "multipliers": list(map(float, multipliers))}
        return Case(title, {**given, **dict(zip(HYPER, settings, strict=True))})

    def bowl(d: int) -> np.ndarray:
        """Coupled, so that a gradient taken after one weight has moved is another one."""
        return np.diag(rng.uniform(0.5, 2, size=d)) + 0.3

    scales = 10.0 ** rng.permutation([-3.0, -1.0, 1.0, 3.0])
    coupled = np.array([[2.0, 1.0], [1.0, 3.0]]) * rng.uniform(0.5, 2)
    up, falling = np.arange(6) / 5, [1, 0.8, 0.6, 0.4]
    return [
        case(FIRST, rng.uniform(1, 3, size=2), [1.0], 0.1, 0.0, 0.9, 0.99, 1e-9),
        case(ALONE, [0.0, 0.0], [1.0, 1.0, 0.5], 0.1, 0.2, 0.9, 0.99, 1e-3),
        case("a multiplier that drops to 0.1", bowl(3), [1, 1, 1, 0.1, 0.1], 0.2, 0.05, 0.8, 0.9, 0.01),
        case("a warm-up that begins with 0", bowl(3), up, 0.2, 0.1, 0.8, 0.95, 0.01),
        case(
            "a multiplier that falls to 0, and comes back", bowl(2), [*(1 - up), 0.5], 0.3, 0.1, 0.7, 0.9, 0.1
        ),
        case("a large eta with a small lam", coupled, falling, 0.7, 0.01, 0.9, 0.99, 0.05),
        case("a small eta with a large lam", coupled, falling, 0.01, 0.3, 0.9, 0.99, 0.05),
        case("curvatures from 0.001 to 1000", scales, [0.5, 1, 1, 0.5], 0.1, 0.05, 0.9, 0.99, 1e-3),
        case("a single weight, d = 1", bowl(1), [0.5, 1, 1], 0.2, 0.1, 0.5, 0.8, 0.2),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """All points of the run."""
    given = case.given
    bowl = Bowl(given)
    settings = (given[name] for name in HYPER)
    result = answer(bowl.gradient, given["w"].copy(), list(given["multipliers"]), *settings)
    points, wanted = _listed(result), (len(given["multipliers"]), len(given["w"]))
    if np.shape(array(points, "what is returned")) == (wanted[0] + 1, wanted[1]):
        raise Unfit(f"Points: {wanted[0] + 1}; multipliers: {wanted[0]}. Is the start among the points?")
    return {"w": array(points, "what is returned", wanted)}


def _listed(result: Any) -> Any:
    """Points that come from a generator are taken as a list."""
    return list(result) if hasattr(result, "__next__") else result


class Bowl:
    """A bowl that gives no more gradients than a run could need, ten times over."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._A, self._centre, self._steps, self._calls = (
            given["A"],
            given["centre"],
            len(given["multipliers"]),
            0,
        )

    def gradient(self, w: Any) -> np.ndarray:
        """At w. Raises Unfit after ten times as many calls as steps."""
        self._calls += 1
        if self._calls > 10 * self._steps:
            raise Unfit(
                f"gradient was called {self._calls - 1} times for {self._steps} steps. Does the loop end?"
            )
        return self._A @ (array(w, "the argument of gradient", self._centre.shape) - self._centre)


def replay(case: Case) -> str:
    """The run, as code."""
    given = case.given
    settings = ", ".join(f"{given[name]:g}" for name in HYPER)
    return "\n".join(
        [
            f"A, centre = {literal(given['A'])}, {literal(given['centre'])}",
            f"multipliers = {[float(f'{x:.6g}') for x in given['multipliers']]}",
            f"points = adamw_run(lambda w: A @ (np.asarray(w) - centre), {literal(given['w'])}, multipliers,",
            f"                   {settings})",
            'print(*points, sep="\\n")',
        ]
    )


PROBLEM = Problem("adamw.run", "adamw_run", 3.0, cases, drive, replay)
