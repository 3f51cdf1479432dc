"""AdaGrad with a running sum: one vector of memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array, literal, parts
from mlsys.problems.problem import Arrays, Case, Problem
from mlsys.problems.ps1.streams import named, with_a_push


def drive(answer: Any, case: Case) -> Arrays:
    """Call the step once a gradient and record where w and r went."""
    given = case.given
    now = [(np.zeros_like(s.w), s.w) for s in given["streams"]]
    traces: dict[str, list[list[Any]]] = {"r": [[] for _ in now], "w": [[] for _ in now]}
    for t in range(len(given["streams"][0].gradients)):
        for k, stream in enumerate(given["streams"]):
            r, w = (old.copy() for old in now[k])
            result = parts(answer(r, w, stream.gradients[t].copy(), given["eta"], given["delta"]), "r", "w")
            r, w = (array(new, name, stream.w.shape) for new, name in zip(result, "rw", strict=True))
            now[k] = (r, w + stream.push)
            traces["r"][k].append(r)
            traces["w"][k].append(w)
    return named(traces)


def replay(case: Case) -> str:
    """The steps, as code."""
    stream, eta, delta = case.given["streams"][0], case.given["eta"], case.given["delta"]
    return (
        f"r, w = np.zeros({len(stream.w)}), {literal(stream.w)}\n"
        f"for g in {literal(stream.gradients)}:\n"
        f"    r, w = adagrad_step(r, w, g, {eta:g}, {delta:g})\n"
        f"    print(r, w)" + (f"\n    w = np.asarray(w) + {stream.push:g}" if stream.push else "")
    )


PROBLEM = Problem("adagrad.running", "adagrad_step", 2.0, with_a_push, drive, replay)
