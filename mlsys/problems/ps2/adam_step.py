"""One step of Adam in the form that the paper ends its section 2 with, and the rate that each weight gets."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array, literal, parts
from mlsys.problems.problem import Arrays, Case, Problem
from mlsys.problems.ps1.streams import Stream, named, streams

NAMES = ("m", "v", "w", "rate")
BETAS = {"beta1": 0.8, "beta2": 0.95}
RESUMED = "resumed at step 41, with the averages of before"


def cases(rng: np.random.Generator) -> list[Case]:
    """Streams from the first step, and one that is taken up in the middle."""
    start = {"taken": 0, "m": 0.0, "v": 0.0}
    fresh = streams(rng, **BETAS, **start)
    saved = {"taken": 40, "m": rng.normal(size=3), "v": rng.uniform(0.5, 2, size=3)}
    stream = Stream(rng.uniform(1, 2, size=3), rng.normal(size=(4, 3)))
    given = {"streams": [stream], "eta": 0.1, "delta": 0.01, **BETAS, **saved}
    return [*fresh, Case(RESUMED, given)]


def hyper(case: Case) -> tuple[float, ...]:
    """What does not change from step to step, in the order of the arguments."""
    return tuple(case.given[key] for key in ("eta", "beta1", "beta2", "delta"))


def drive(answer: Any, case: Case) -> Arrays:
    """The four of each step; what comes back goes in again."""
    given = case.given
    now = [
        [np.full_like(stream.w, given["m"]), np.full_like(stream.w, given["v"]), stream.w.copy()]
        for stream in given["streams"]
    ]
    trace: dict[str, list[list[Any]]] = {name: [[] for _ in now] for name in ("m", "v", "rate", "w")}
    for t in range(len(given["streams"][0].gradients)):
        for k, stream in enumerate(given["streams"]):
            g, number = stream.gradients[t].copy(), given["taken"] + t + 1
            result = parts(answer(*(a.copy() for a in now[k]), g, number, *hyper(case)), *NAMES)
            found = {n: array(x, n, stream.w.shape) for n, x in zip(NAMES, result, strict=True)}
            now[k] = [found[name] for name in ("m", "v", "w")]
            for name, value in found.items():
                trace[name][k].append(value)
    return named(trace)


def replay(case: Case) -> str:
    """The steps of the first problem, as code."""
    given = case.given
    stream = given["streams"][0]
    m, v = (literal(np.full_like(stream.w, given[name])) for name in ("m", "v"))
    settings = ", ".join(f"{x:g}" for x in hyper(case))
    return "\n".join(
        [
            f"m, v, w = {m}, {v}, {literal(stream.w)}",
            f"gradients = {literal(stream.gradients)}",
            f"for t, g in enumerate(gradients, {given['taken'] + 1}):",
            f"    m, v, w, rate = adam_step(m, v, w, g, t, {settings})",
            "    print(t, m, v, rate, w)",
        ]
    )


PROBLEM = Problem("adam.step", "adam_step", 3.0, cases, drive, replay)
