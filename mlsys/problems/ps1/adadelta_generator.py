"""AdaDelta as a generator of points."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import Unfit, array, literal, short
from mlsys.problems.problem import Arrays, Case, Problem
from mlsys.problems.ps1.streams import FIRST, named

AHEAD = 1100  # points that are asked for where the generator should go on for ever


def cases(rng: np.random.Generator) -> list[Case]:
    """Bowls of several shapes; the gradient is A @ (w - centre)."""

    def case(title: str, steps: int, rho: float, a: float, b: float, *curvatures: Any, **more: Any) -> Case:
        bowls = []
        for curvature in curvatures:
            A = np.asarray(curvature, dtype=float)
            A = np.diag(A) if A.ndim == 1 else A
            # far from 0, so that no weight ends near it, where float32 would lose digits
            centre = rng.choice([-1.0, 1.0], size=len(A)) * rng.uniform(4, 5, size=len(A))
            start = centre + rng.choice([-1.0, 1.0], size=len(A)) * rng.uniform(1, 2, size=len(A))
            bowls.append({"w": start, "centre": centre, "A": A})
        given = {"bowls": bowls, "rho": rho, "a": a, "b": b, "steps": steps, "ahead": 0, "later": False}
        return Case(title, {**given, **more})

    scales = 10.0 ** rng.permutation([-3.0, -1.0, 1.0, 3.0])
    coupled = np.array([[2.0, 1.0], [1.0, 3.0]]) * rng.uniform(0.5, 2)
    return [
        case(FIRST, 1, 0.75, 0.01, 1e-9, rng.uniform(1, 3, size=2)),
        case("eight steps", 8, 0.9, 0.1, 0.2, rng.uniform(0.5, 2, size=3)),
        case("curvatures from 0.001 to 1000", 6, 0.9, 0.05, 1e-3, scales),
        case("a coordinate that never has a gradient stays", 5, 0.9, 0.1, 0.01, [1.0, 0.0, 2.0]),
        case("a single weight, d = 1", 5, 0.5, 0.1, 0.1, rng.uniform(0.5, 2, size=1)),
        case("a gradient that depends on the other weights too", 5, 0.9, 0.2, 0.1, coupled),
        case("two generators, a step of each in turn", 4, 0.9, 0.2, 0.1, [1.0, 2.0], [3.0, 0.5]),
        case("points that are kept stay what they were", 5, 0.9, 0.2, 0.1, [1.0, 2.0], later=True),
        case(f"{AHEAD} more points", 3, 0.9, 0.2, 0.1, [1.5], ahead=AHEAD),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """A generator a bowl, advanced in turns; with `later`, its points are read only when all have been made."""
    given = case.given
    generators = [_started(answer, bowl, given) for bowl in given["bowls"]]
    path: list[list[Any]] = [[] for _ in generators]
    for t in range(given["steps"]):
        for k, bowl in enumerate(given["bowls"]):
            w = _next(generators[k], t)
            path[k].append(w if given["later"] else array(w, "what is yielded", bowl["w"].shape))
    for t in range(given["ahead"]):
        _next(generators[0], given["steps"] + t)
    if given["later"]:
        path = [[array(w, "what is yielded", np.shape(w)) for w in points] for points in path]
    return named({"w": path})


def _next(generator: Any, t: int) -> Any:
    try:
        return next(generator)
    except StopIteration:
        raise Unfit(f"The generator ended after {t} points; it should go on for ever: while True.") from None


def _started(answer: Any, bowl: dict[str, np.ndarray], given: dict[str, Any]) -> Any:
    calls, points = 0, given["steps"] + given["ahead"]

    def gradient(w: Any) -> np.ndarray:
        nonlocal calls
        calls += 1
        if calls > 10 * points:
            raise Unfit(
                f"gradient was called {calls - 1} times for at most {points} points. Is there a yield in the loop?"
            )
        return bowl["A"] @ (array(w, "the argument of gradient", bowl["w"].shape) - bowl["centre"])

    made = answer(gradient, bowl["w"].copy(), given["rho"], given["a"], given["b"])
    if not hasattr(made, "__next__"):
        raise Unfit(
            f"A generator is expected, a function with `yield` in it; the call returned {short(made)}."
        )
    return made


def replay(case: Case) -> str:
    """The points, as code."""
    given, bowl = case.given, {key: literal(value) for key, value in case.given["bowls"][0].items()}
    lines = [
        f"gradient = lambda w: {bowl['A']} @ (np.asarray(w) - {bowl['centre']})",
        f"points = adadelta(gradient, {bowl['w']}, {given['rho']:g}, {given['a']:g}, {given['b']:g})",
    ]
    if given["later"]:
        return "\n".join([*lines, f"print([next(points) for t in range({given['steps']})])"])
    return "\n".join(
        [*lines, f"for t in range({given['steps'] + given['ahead']}):", "    print(next(points))"]
    )


PROBLEM = Problem("adadelta.generator", "adadelta", 3.0, cases, drive, replay)
