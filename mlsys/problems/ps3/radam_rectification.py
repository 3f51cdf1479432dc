"""RAdam's rho_t, how many gradients an average holds, and r_t, how far its root can be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array, parts
from mlsys.problems.problem import Arrays, Case, Problem

ALMOST_ONE, NEAR_ONE = 1 - 1e-8, 1 - 1e-7


def cases(rng: np.random.Generator) -> list[Case]:
    """Steps and decays for which no rho_t lies within rounding of the threshold."""

    def case(title: str, t: Any, beta2: float) -> Case:
        return Case(title, {"t": np.array(t), "beta2": float(beta2)})

    later = np.sort(rng.choice(np.arange(10, 5000), size=8, replace=False))
    return [
        case("the first eight steps", np.arange(1, 9), 0.999),
        case("later steps", later, 0.999),
        case("another beta2", [1, 2, 3, 5, 6, 7, 9, 20, 50], rng.uniform(0.97, 0.995)),
        case("a short memory: beta2 = 0.9", [1, 2, 3, 6, 8, 10, 40], 0.9),
        case("so short that rho never exceeds 4: beta2 = 0.5", [1, 2, 3, 5, 10, int(later[0])], 0.5),
        case("a single step, as an int", int(rng.integers(6, 100)), 0.99),
        case("steps in a table, (2, 3)", rng.integers(6, 1000, size=(2, 3)), 0.998),
        case("very late: up to t = 1,000,000,000", [10**4, 10**6, 10**9], 0.999),
        case("a long memory: beta2 = 1 - 1e-7", [1, 3, 6, 50, 1000, 10**5], NEAR_ONE),
        case("a very long memory: beta2 = 1 - 1e-8", [1, 2, 3, 6, 10, 30, 100], ALMOST_ONE),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """rho and r, in the shape of t."""
    t = case.given["t"]
    asked = t.copy() if t.ndim else int(t)
    each = parts(answer(asked, case.given["beta2"]), "rho", "r", rows=False)
    return {name: array(x, name, t.shape) for name, x in zip(("rho", "r"), each, strict=True)}


def replay(case: Case) -> str:
    """The call, as code."""
    t, beta2 = case.given["t"], case.given["beta2"]
    beta2 = {ALMOST_ONE: "1 - 1e-8", NEAR_ONE: "1 - 1e-7"}.get(beta2, f"{beta2!r}")
    return f"print(rectify({f'np.array({t.tolist()})' if t.ndim else int(t)}, {beta2}))"


PROBLEM = Problem("radam.rectification", "rectify", 3.0, cases, drive, replay)
