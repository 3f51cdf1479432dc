"""AMSGrad as an object: the maximum of the corrected averages, in one stated order."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array, literal
from mlsys.problems.problem import Arrays, Case, Problem
from mlsys.problems.ps1.streams import Stream, named, with_a_push

BETAS = {"beta1": 0.8, "beta2": 0.9}
HYPER = ("eta", "beta1", "beta2", "delta")


def cases(rng: np.random.Generator) -> list[Case]:
    """Streams of gradients, and two in which the maximum is what matters."""

    def case(title: str, sizes: list[float]) -> Case:
        gradients = rng.choice([-1.0, 1.0], size=(len(sizes), 2)) * rng.uniform(
            0.8, 1.2, size=(len(sizes), 2)
        )
        stream = Stream(rng.uniform(1, 2, size=2), np.array(sizes)[:, None] * gradients)
        return Case(title, {"streams": [stream], "eta": 0.2, "delta": 0.05, **BETAS})

    return [
        *with_a_push(rng, **BETAS),
        case("a large gradient, then small ones: the steps stay short", [10, 0.1, 0.1, 0.1, 0.1, 0.1]),
        case("small gradients, a large one, small ones again", [0.1, 0.1, 5, 0.1, 0.1, 0.1]),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """An object a problem, stepped in turns."""
    given = case.given
    objects = [answer(*(given[name] for name in HYPER)) for _ in given["streams"]]
    now = [stream.w for stream in given["streams"]]
    path: list[list[Any]] = [[] for _ in objects]
    for t in range(len(given["streams"][0].gradients)):
        for k, stream in enumerate(given["streams"]):
            w = objects[k].step(now[k].copy(), stream.gradients[t].copy())
            path[k].append(array(w, "what step returns", stream.w.shape))
            now[k] = path[k][-1] + stream.push
    return named({"w": path})


def replay(case: Case) -> str:
    """The steps, as code; both objects where there are two."""
    streams, settings = case.given["streams"], ", ".join(f"{case.given[name]:g}" for name in HYPER)
    lines = []
    for k, stream in enumerate(streams, 1):
        lines.append(
            f"o{k}, w{k}, g{k} = AMSGrad({settings}), {literal(stream.w)}, {literal(stream.gradients)}"
        )
    lines.append(f"for t in range({len(streams[0].gradients)}):")
    for k, stream in enumerate(streams, 1):
        lines += [f"    w{k} = o{k}.step(w{k}, g{k}[t])", f"    print(w{k})"]
        lines += [f"    w{k} = np.asarray(w{k}) + {stream.push:g}"] * bool(stream.push)
    return "\n".join(lines)


PROBLEM = Problem("amsgrad.class", "AMSGrad", 3.0, cases, drive, replay)
