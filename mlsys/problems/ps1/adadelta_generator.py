"""AdaDelta as a generator of points."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import Unfit, array, literal, short
from mlsys.problems.problem import Arrays, Case, Problem
from mlsys.problems.ps1.streams import FIRST, named


def cases(rng: np.random.Generator) -> list[Case]:
    """Bowls of several shapes; the gradient is curvature * (w - centre)."""

    def case(title: str, steps: int, rho: float, a: float, b: float, *curvatures: Any) -> Case:
        bowls = []
        for curvature in curvatures:
            # far from 0, so that no weight ends near it, where float32 would lose digits
            centre = rng.choice([-1.0, 1.0], size=len(curvature)) * rng.uniform(4, 5, size=len(curvature))
            start = centre + rng.choice([-1.0, 1.0], size=len(curvature)) * rng.uniform(
                1, 2, size=len(curvature)
            )
            bowls.append({"w": start, "centre": centre, "curvature": np.asarray(curvature, dtype=float)})
        return Case(title, {"bowls": bowls, "rho": rho, "a": a, "b": b, "steps": steps})

    silent = np.array([1.0, 0.0, 2.0])
    return [
        case(FIRST, 1, 0.75, 0.01, 1e-9, rng.uniform(1, 3, size=2)),
        case("eight steps", 8, 0.9, 0.1, 0.2, rng.uniform(0.5, 2, size=3)),
        case(
            "curvatures from 0.001 to 1000",
            6,
            0.9,
            0.05,
            1e-3,
            10.0 ** rng.permutation([-3.0, -1.0, 1.0, 3.0]),
        ),
        case("a coordinate that never has a gradient stays", 5, 0.9, 0.1, 0.01, silent),
        case("a single weight, d = 1", 5, 0.5, 0.1, 0.1, rng.uniform(0.5, 2, size=1)),
        case("two generators, a step of each in turn", 4, 0.9, 0.2, 0.1, [1.0, 2.0], [3.0, 0.5]),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """A generator a bowl, advanced in turns."""
    given = case.given
    generators = [_started(answer, bowl, given) for bowl in given["bowls"]]
    path: list[list[Any]] = [[] for _ in generators]
    for t in range(given["steps"]):
        for k, (generator, bowl) in enumerate(zip(generators, given["bowls"], strict=True)):
            try:
                w = next(generator)
            except StopIteration:
                raise Unfit(f"the generator ended after {t} points; it should go on for ever.") from None
            path[k].append(array(w, "what is yielded", bowl["w"].shape))
    return named({"w": path})


def _started(answer: Any, bowl: dict[str, np.ndarray], given: dict[str, Any]) -> Any:
    calls = 0

    def gradient(w: Any) -> np.ndarray:
        nonlocal calls
        calls += 1
        if calls > 10 * given["steps"]:
            raise Unfit(
                f"gradient was called {calls - 1} times for at most {given['steps']} points. "
                "Is there a yield in the loop?"
            )
        return bowl["curvature"] * (array(w, "the argument of gradient", bowl["w"].shape) - bowl["centre"])

    made = answer(gradient, bowl["w"].copy(), given["rho"], given["a"], given["b"])
    if not hasattr(made, "__next__"):
        raise Unfit(
            f"a generator is expected, a function with `yield` in it; the call returned {short(made)}."
        )
    return made


def replay(case: Case) -> str:
    """The points, as code."""
    bowl = {key: literal(value) for key, value in case.given["bowls"][0].items()}
    rho, a, b = (case.given[key] for key in ("rho", "a", "b"))
    return (
        f"gradient = lambda w: {bowl['curvature']} * (np.asarray(w) - {bowl['centre']})\n"
        f"points = adadelta(gradient, {bowl['w']}, {rho:g}, {a:g}, {b:g})\n"
        f"for t in range({case.given['steps']}):\n"
        f"    print(next(points))"
    )


PROBLEM = Problem("adadelta.generator", "adadelta", 3.0, cases, drive, replay)
