"""RMSProp as an object that keeps its moving average."""

from __future__ import annotations

from functools import partial
from typing import Any

from mlsys.problems.coerce import array, literal
from mlsys.problems.problem import Arrays, Case, Problem
from mlsys.problems.ps1.streams import named, with_a_push


def drive(answer: Any, case: Case) -> Arrays:
    """An object a problem, stepped in turns."""
    given = case.given
    objects = [answer(given["eta"], given["rho"], given["delta"]) for _ in given["streams"]]
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
    streams, hyper = (
        case.given["streams"],
        ", ".join(f"{case.given[key]:g}" for key in ("eta", "rho", "delta")),
    )
    lines = []
    for k, stream in enumerate(streams, 1):
        lines.append(f"o{k}, w{k}, g{k} = RMSProp({hyper}), {literal(stream.w)}, {literal(stream.gradients)}")
    lines.append(f"for t in range({len(streams[0].gradients)}):")
    for k, stream in enumerate(streams, 1):
        lines += [f"    w{k} = o{k}.step(w{k}, g{k}[t])", f"    print(w{k})"]
        lines += [f"    w{k} = np.asarray(w{k}) + {stream.push:g}"] * bool(stream.push)
    return "\n".join(lines)


PROBLEM = Problem("rmsprop.class", "RMSProp", 3.0, partial(with_a_push, rho=0.9), drive, replay)
