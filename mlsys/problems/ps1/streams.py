"""Streams of gradients that the exercises on AdaGrad and RMSProp share."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mlsys.problems.problem import Arrays, Case

FIRST = "the first step"


class Stream(NamedTuple):
    """w (d,) : the start;  gradients (T, d) : one a step;  push : added to w by somebody else after each step"""

    w: np.ndarray
    gradients: np.ndarray
    push: float = 0.0


def streams(rng: np.random.Generator, **hyper: float) -> list[Case]:
    """Cases whose `given` holds streams, eta, delta and `hyper`."""

    def case(title: str, eta: float, delta: float, *gradients: np.ndarray) -> Case:
        # far from 0, so that no weight ends near it, where float32 would lose digits
        starts = [
            rng.choice([-1.0, 1.0], size=g.shape[1:]) * rng.uniform(1, 2, size=g.shape[1:]) for g in gradients
        ]
        started = [Stream(w, g) for w, g in zip(starts, gradients, strict=True)]
        return Case(title, {"streams": started, "eta": eta, "delta": delta, **hyper})

    signs = rng.choice([-1.0, 1.0], size=(1, 2))
    scales = 10.0 ** rng.permutation(np.array([-3.0, -1.0, 0.0, 1.0, 3.0]))
    silent = rng.normal(size=(4, 3))
    silent[:, 1] = 0.0
    late, later = rng.normal(size=(2, 5, 3))
    late[:2, 0] = late[0, 1] = later[0] = 0.0
    return [
        case(FIRST, 0.1, 1e-6, signs * rng.uniform(0.5, 4, size=(1, 2))),
        case("eight steps", float(rng.uniform(0.05, 0.5)), 0.1, rng.normal(size=(8, 3))),
        case("coordinates of very different scales", 0.2, 1e-3, rng.normal(size=(6, 5)) * scales),
        case("a coordinate that never has a gradient stays", 0.3, 1e-3, silent),
        case("coordinates whose first gradients are 0", 0.2, 0.1, late),
        case("the first gradient is 0 in every coordinate", 0.2, 0.1, later),
        case("a single weight, d = 1", 0.2, 0.05, rng.normal(size=(5, 1))),
        case(
            "two problems, a step of each in turn",
            0.1,
            0.01,
            rng.normal(size=(4, 2)),
            rng.normal(size=(4, 2)),
        ),
    ]


def with_a_push(rng: np.random.Generator, **hyper: float) -> list[Case]:
    """The same, and a case in which w comes back other than it was returned."""
    cases = streams(rng, **hyper)
    given = {"eta": 0.2, "delta": 0.05, **hyper}
    stream = Stream(rng.uniform(1, 2, size=2), rng.normal(size=(4, 2)), push=0.5)
    return [*cases, Case("somebody else changes w between the steps", {"streams": [stream], **given})]


def named(traces: dict[str, list[list[Any]]]) -> Arrays:
    """Arrays from traces[name][k][t] of problem k at step t; "w", or "w of problem 2" where there are two."""
    return {
        name if len(each) == 1 else f"{name} of problem {k + 1}": np.stack(trace)
        for name, each in traces.items()
        for k, trace in enumerate(each)
    }
