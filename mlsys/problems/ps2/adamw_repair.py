"""A broken AdamW to repair: each case shows one symptom, or all together."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import Unfit, array, literal
from mlsys.problems.problem import Arrays, Case, Problem
from mlsys.problems.ps1.streams import Stream

HYPER = ("eta", "lam", "beta1", "beta2", "delta")
# What the cases show; the judge says more of each where it fails.
DECAY, SIZES, FIRST, LATER, APART, SHAPES, ONE, ALL = (
    "decay alone: the gradients are zero",
    "one parameter, gradients from 0.01 to 100: all weights decay alike",
    "one parameter, the first step without decay",
    "one parameter, eight steps without decay",
    "two parameters without decay, the gradients of one much smaller",
    "parameters of different shapes, without decay",
    "one parameter, everything together",
    "three parameters, everything together",
)


def cases(rng: np.random.Generator) -> list[Case]:
    """Each part by itself with the others switched off, then all at once."""

    def case(title: str, steps: int, *shapes: tuple[int, ...], sizes: Any = 1.0, **settings: float) -> Case:
        parameters = []
        for k, shape in enumerate(shapes):
            size = sizes[k] if isinstance(sizes, tuple) else sizes
            # far from 0, so that no weight ends near it, where float32 would lose digits
            w = rng.choice([-1.0, 1.0], size=shape) * rng.uniform(1, 2, size=shape)
            # none near 0: by its root a step is divided
            signs = rng.choice([-1.0, 1.0], size=(steps, *shape))
            parameters.append(Stream(w, size * signs * rng.uniform(0.5, 1.5, size=(steps, *shape)) + 0.0))
        given = {"eta": 0.1, "lam": 0.0, "beta1": 0.0, "beta2": 0.0, "delta": 1e-3, **settings}
        return Case(title, {"parameters": parameters, **given})

    scales = 10.0 ** rng.permutation([-2.0, 0.0, 2.0])
    betas = {"beta1": 0.8, "beta2": 0.9}
    return [
        case(DECAY, 4, (3,), sizes=0.0, lam=0.4, **betas),
        case(SIZES, 3, (3,), sizes=scales, lam=0.5, delta=1e-6),
        case(FIRST, 1, (2,), delta=1e-6, **betas),
        case(LATER, 8, (3,), delta=0.05, **betas),
        case(APART, 5, (2,), (2,), sizes=(1.0, 1e-3), beta1=0.9, delta=1e-6),
        case(SHAPES, 4, (3,), (2, 2), beta1=0.8, delta=0.1),
        case(ONE, 6, (4,), lam=0.3, delta=0.1, **betas),
        case(ALL, 5, (2,), (1,), (2, 3), sizes=(1.0, 10.0, 0.1), lam=0.2, delta=0.05, **betas),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """The path of every parameter."""
    given = case.given
    now = [parameter.w for parameter in given["parameters"]]
    made = answer([w.copy() for w in now], *(given[name] for name in HYPER))
    path: list[list[np.ndarray]] = [[] for _ in now]
    for t in range(len(given["parameters"][0].gradients)):
        gradients = [np.array(parameter.gradients[t]) for parameter in given["parameters"]]
        now = _parts(made.step([w.copy() for w in now], gradients), now)
        for k, w in enumerate(now):
            path[k].append(w)
    names = ["w"] if len(now) == 1 else [f"w of parameter {k + 1}" for k in range(len(now))]
    return {name: np.stack(points) for name, points in zip(names, path, strict=True)}


def _parts(result: Any, now: list[np.ndarray]) -> list[np.ndarray]:
    """The parameters that a step returned, each in its shape."""
    if not isinstance(result, list | tuple) or len(result) != len(now):
        raise Unfit(f"step should return a list with an array for each of the {len(now)} parameters.")
    return [
        array(w, f"parameter {k}", old.shape) for k, (w, old) in enumerate(zip(result, now, strict=True), 1)
    ]


def replay(case: Case) -> str:
    """The steps, as code."""
    given = case.given
    settings = ", ".join(f"{given[name]:g}" for name in HYPER)
    lines = [f"ws = [{', '.join(literal(p.w) for p in given['parameters'])}]"]
    lines.append(f"gradients = [{', '.join(literal(p.gradients) for p in given['parameters'])}]")
    lines.append(f"optimizer = AdamW(ws, {settings})")
    lines.append("for gs in zip(*gradients):")
    lines += ["    ws = optimizer.step(ws, list(gs))", '    print(*ws, sep="\\n")']
    return "\n".join(lines)


PROBLEM = Problem("adamw.repair", "AdamW", 3.0, cases, drive, replay)
