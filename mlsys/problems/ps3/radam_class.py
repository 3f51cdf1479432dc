"""RAdam as an object that waits until its second moment can be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array, literal
from mlsys.problems.problem import Arrays, Case, Problem

ARGUMENTS = ("eta", "beta1", "beta2", "delta")
FIRST = "a constant gradient: four steps of waiting, and the first move"


def cases(rng: np.random.Generator) -> list[Case]:
    """Streams of gradients, each long enough for some moves."""

    def case(title: str, *gradients: np.ndarray, push: float = 0.0, **given: float) -> Case:
        usual = {"eta": float(rng.uniform(0.5, 2)), "beta1": 0.9, "beta2": 0.98, "delta": 0.05}
        # far from 0, so that no weight ends near it, where float32 would lose digits
        starts = [
            rng.choice([-1.0, 1.0], size=g.shape[1]) * rng.uniform(1, 2, size=g.shape[1]) for g in gradients
        ]
        return Case(title, {"starts": starts, "gradients": list(gradients), "push": push, **usual, **given})

    constant = np.tile(rng.choice([-1.0, 1.0], size=2) * rng.uniform(0.5, 4, size=2), (5, 1))
    scales = 10.0 ** rng.permutation(np.array([-3.0, -1.0, 0.0, 1.0, 3.0]))
    silent, late = rng.normal(size=(2, 9, 3))
    silent[:, 1] = 0.0
    late[0] = late[:6, 0] = 0.0
    return [
        case(FIRST, constant, eta=1.0, delta=1e-6),
        case("twelve steps", rng.normal(size=(12, 3))),
        case("coordinates of very different scales", rng.normal(size=(9, 5)) * scales, delta=1e-3),
        case("a coordinate that never has a gradient stays", silent),
        case("gradients that are 0 at first", late),
        case("a single weight, d = 1", rng.normal(size=(8, 1))),
        case("a delta as large as the gradients", rng.normal(size=(9, 3)), delta=0.7),
        case("beta2 = 0.999", rng.normal(size=(8, 3)), beta2=0.999, eta=8.0),
        case("beta1 = 0.5 and beta2 = 0.9", rng.normal(size=(15, 2)), beta1=0.5, beta2=0.9, eta=0.3),
        case("two problems, a step of each in turn", rng.normal(size=(8, 2)), rng.normal(size=(8, 2))),
        case("somebody else changes w between the steps", rng.normal(size=(8, 2)), push=0.5),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """An object a stream, stepped in turns."""
    given = case.given
    objects = [answer(*(given[key] for key in ARGUMENTS)) for _ in given["starts"]]
    now: list[Any] = list(given["starts"])
    path: list[list[Any]] = [[] for _ in objects]
    for t in range(len(given["gradients"][0])):
        for k, optimizer in enumerate(objects):
            w = optimizer.step(now[k].copy(), given["gradients"][k][t].copy())
            path[k].append(array(w, "what step returns", now[k].shape))
            now[k] = path[k][-1] + given["push"]
    several = len(path) > 1
    return {"w" + f" of problem {k + 1}" * several: np.stack(points) for k, points in enumerate(path)}


def replay(case: Case) -> str:
    """The steps, as code; both objects where there are two."""
    given, lines = case.given, []
    hyper = ", ".join(f"{given[key]:.6g}" for key in ARGUMENTS)
    for k, (w, g) in enumerate(zip(given["starts"], given["gradients"], strict=True), 1):
        lines.append(f"o{k}, w{k}, g{k} = RAdam({hyper}), {literal(w)}, {literal(g)}")
    lines.append(f"for t in range({len(given['gradients'][0])}):")
    for k in range(1, len(given["starts"]) + 1):
        lines += [f"    w{k} = o{k}.step(w{k}, g{k}[t])", f"    print(w{k})"]
        lines += [f"    w{k} = np.asarray(w{k}) + {given['push']:g}"] * bool(given["push"])
    return "\n".join(lines)


PROBLEM = Problem("radam.class", "RAdam", 3.0, cases, drive, replay)
