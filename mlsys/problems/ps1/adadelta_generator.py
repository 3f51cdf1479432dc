"""AdaDelta as a generator of points."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import Unfit, array, literal, short
from mlsys.problems.problem import Arrays, Case, Problem
from mlsys.problems.ps1.streams import FIRST, named

EXTRA = "gradients beyond one a step"
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
        given = {
            "bowls": bowls,
            "rho": rho,
            "a": a,
            "b": b,
            "steps": steps,
            "ahead": 0,
            "later": False,
            "counted": False,
        }
        return Case(title, {**given, **more})

    scales = 10.0 ** rng.permutation([-3.0, -1.0, 1.0, 3.0])
    coupled = np.array([[2.0, 1.0], [1.0, 3.0]]) * rng.uniform(0.5, 2)
    return [
        case(FIRST, 1, 0.75, 0.01, 1e-9, rng.uniform(1, 3, size=2)),
        case("eight steps", 8, 0.9, 0.1, 0.2, rng.uniform(0.5, 2, size=3)),
        case("curvatures from 0.001 to 1000", 6, 0.9, 0.05, 1e-3, scales),
        case("a coordinate that never has a gradient stays", 5, 0.9, 0.1, 0.01, [1.0, 0.0, 2.0]),
        case("a single weight, d = 1", 5, 0.5, 0.1, 0.1, rng.uniform(0.5, 2, size=1)),
        case("a gradient that depends on the other weights too", 5, 0.9, 0.2, 0.1, coupled, counted=True),
        case("two generators, a step of each in turn", 4, 0.9, 0.2, 0.1, [1.0, 2.0], [3.0, 0.5]),
        case("points that are kept stay what they were", 5, 0.9, 0.2, 0.1, [1.0, 2.0], later=True),
        case(f"{AHEAD} more points", 3, 0.9, 0.2, 0.1, [1.5], ahead=AHEAD),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """A generator a bowl, advanced in turns; with `later`, its points are read only when all have been made.

    With `counted` it says too how many gradients were asked for beyond one a step, and one ahead for the next.
    """
    given = case.given
    bowls = [Bowl(bowl, given["steps"] + given["ahead"]) for bowl in given["bowls"]]
    generators = [_started(answer, bowl, given) for bowl in bowls]
    path: list[list[Any]] = [[] for _ in generators]
    for t in range(given["steps"]):
        for k, bowl in enumerate(given["bowls"]):
            w = _next(generators[k], t)
            path[k].append(w if given["later"] else array(w, "what is yielded", bowl["w"].shape))
    for t in range(given["ahead"]):
        _next(generators[0], given["steps"] + t)
    if given["later"]:
        path = [[array(w, "what is yielded", np.shape(w)) for w in points] for points in path]
    extra = max(bowls[0].calls - given["steps"] - 1, 0)
    return named({"w": path}) | ({EXTRA: np.array(float(extra))} if given["counted"] else {})


class Bowl:
    """A bowl whose gradients are counted."""

    def __init__(self, bowl: dict[str, np.ndarray], points: int) -> None:
        self.w, self._A, self._centre = bowl["w"], bowl["A"], bowl["centre"]
        self._points, self.calls = points, 0

    def gradient(self, w: Any) -> np.ndarray:
        """At w. Raises Unfit after ten times as many calls as points."""
        self.calls += 1
        if self.calls > 10 * self._points:
            raise Unfit(
                f"gradient was called {self.calls - 1} times for at most {self._points} points. "
                "Is there a yield in the loop?"
            )
        return self._A @ (array(w, "the argument of gradient", self.w.shape) - self._centre)


def _next(generator: Any, t: int) -> Any:
    try:
        return next(generator)
    except StopIteration:
        raise Unfit(f"The generator ended after {t} points; it should go on for ever: while True.") from None


def _started(answer: Any, bowl: Bowl, given: dict[str, Any]) -> Any:
    made = answer(bowl.gradient, bowl.w.copy(), given["rho"], given["a"], given["b"])
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
