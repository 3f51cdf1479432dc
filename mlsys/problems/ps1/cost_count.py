"""An optimiser's memory and traffic, counted."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import number, parts
from mlsys.problems.problem import Arrays, Case, Problem

NAMES = ("state bytes", "read bytes", "written bytes")


def cases(rng: np.random.Generator) -> list[Case]:
    """Every method, in float32, float16 and float64."""

    def case(title: str, itemsize: int, *calls: tuple[str, int]) -> Case:
        n = int(rng.integers(1000, 100_000))
        return Case(title, {"calls": [(method, n, itemsize, t) for method, t in calls]})

    t = int(rng.integers(3, 20))
    kept = ("momentum", "adagrad", "rmsprop", "adadelta", "adam")
    return [
        case("sgd", 4, ("sgd", 1), ("sgd", t)),
        case("momentum", 4, ("momentum", t)),
        case("adagrad and rmsprop", 4, ("adagrad", t), ("rmsprop", t)),
        case("adadelta and adam", 4, ("adadelta", t), ("adam", t)),
        case("history: every gradient kept", 4, ("history", 1), ("history", t), ("history", 1000)),
        case("the first step of each", 4, *[(method, 1) for method in kept]),
        case("float16 weights, float32 state", 2, ("sgd", t), ("momentum", t), ("adam", t), ("history", t)),
        case("float64 weights, float32 state", 8, ("adagrad", t), ("adadelta", t), ("history", t)),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """Three counts a call."""
    counts: dict[str, np.ndarray] = {}
    for method, n, itemsize, t in case.given["calls"]:
        result = parts(
            answer(method, n, itemsize, t), *(name.replace(" ", "_") for name in NAMES), rows=False
        )
        for name, value in zip(NAMES, result, strict=True):
            counts[f"{method}'s {name} (n = {n}, itemsize = {itemsize}, t = {t})"] = number(value, name)
    return counts


def replay(case: Case) -> str:
    """The calls, as code."""
    return "\n".join(f"print(optimizer_cost{call!r})" for call in case.given["calls"])


PROBLEM = Problem("cost.count", "optimizer_cost", 3.0, cases, drive, replay)
