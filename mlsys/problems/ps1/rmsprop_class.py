"""RMSProp as an object that keeps its moving average."""

from __future__ import annotations

from functools import partial
from typing import Any

from mlsys.problems.coerce import Unfit, array
from mlsys.problems.problem import Arrays, Case, Problem
from mlsys.problems.ps1.streams import named, streams


def drive(answer: Any, case: Case) -> Arrays:
    """An object a problem, stepped in turns."""
    given = case.given
    objects = [answer(given["eta"], given["rho"], given["delta"]) for _ in given["streams"]]
    now = [stream.w for stream in given["streams"]]
    path: list[list[Any]] = [[] for _ in objects]
    for t in range(len(given["streams"][0].gradients)):
        for k, stream in enumerate(given["streams"]):
            w = objects[k].step(now[k].copy(), stream.gradients[t].copy())
            if w is None:
                raise Unfit("step should return the new weights; it returned None. Is there a return?")
            now[k] = array(w, "what step returns", stream.w.shape)
            path[k].append(now[k])
    return named({"w": path})


PROBLEM = Problem("rmsprop.class", "RMSProp", 3.0, partial(streams, rho=0.9), drive)
