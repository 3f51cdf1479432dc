"""The sizes of the first steps, worked out."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array, parts
from mlsys.problems.problem import Arrays, Case, Problem

ARGUMENTS = ("T", "kappa", "eta", "rho", "beta1", "beta2")
FIRST = "a constant gradient: the first step"


def cases(rng: np.random.Generator) -> list[Case]:
    """Constant gradients, and those whose first one is larger or smaller than the rest."""

    def case(title: str, T: int, kappa: float = 1.0, **given: float) -> Case:
        usual = {"eta": float(rng.uniform(0.01, 0.3)), "rho": 0.99, "beta1": 0.9, "beta2": 0.999}
        return Case(title, {"T": T, "kappa": kappa, **usual, **given})

    drawn = {"rho": rng.uniform(0.5, 0.98), "beta1": rng.uniform(0.3, 0.95), "beta2": rng.uniform(0.9, 0.998)}
    return [
        case(FIRST, 1),
        case("a constant gradient: twelve steps", 12),
        case(
            "a constant gradient, other averages", 10, **{key: round(float(x), 4) for key, x in drawn.items()}
        ),
        case("the first gradient is larger than the rest", 12, float(rng.uniform(5, 20))),
        case("the first gradient is smaller than the rest", 12, float(rng.uniform(0.3, 0.6))),
        case("the same, with rho = beta2 = 0.9", 6, float(rng.uniform(0.3, 3)), rho=0.9, beta2=0.9),
        case("no momentum: beta1 = 0", 8, 2.0, beta1=0.0),
        case("no memory: rho = beta2 = 0", 5, 3.0, rho=0.0, beta2=0.0),
        case("a long memory: rho = 0.9999", 5, 1.5, rho=0.9999),
        case("two thousand steps", 2_000, 4.0, rho=0.995),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """Two arrays of sizes."""
    result = answer(*(case.given[key] for key in ARGUMENTS))
    each = parts(result, "rmsprop", "adam")
    shape = (case.given["T"],)
    return {name: array(x, name, shape) for name, x in zip(("rmsprop", "adam"), each, strict=True)}


def replay(case: Case) -> str:
    """The call, as code."""
    return f"print(first_steps({', '.join(f'{case.given[key]:.6g}' for key in ARGUMENTS)}))"


PROBLEM = Problem("steps.first", "first_steps", 3.0, cases, drive, replay)
