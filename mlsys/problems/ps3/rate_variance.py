"""The variance of the adaptive rate over the first steps: measured on given draws, and by formula."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array, parts
from mlsys.problems.problem import Arrays, Case, Problem


def cases(rng: np.random.Generator) -> list[Case]:
    """Draws of normal gradients: what is measured on them is exact, so no chance is in the verdict."""

    def case(title: str, runs: int, steps: int, beta2: float, sigma: float = 1.0, grows: float = 1.0) -> Case:
        g = sigma * rng.normal(size=(runs, steps)) * grows ** np.arange(steps)
        return Case(title, {"g": g, "sigma": sigma, "beta2": beta2})

    return [
        case("500 runs of twelve steps", 500, 12, 0.999),
        case("three steps, so one number", 50, 3, 0.99),
        case("another beta2", 200, 10, float(rng.uniform(0.8, 0.97))),
        case("a short memory: beta2 = 0.5", 100, 8, 0.5),
        case("gradients of 0.0001", 100, 9, 0.99, sigma=1e-4),
        case("gradients of 300", 100, 9, 0.99, sigma=300.0),
        case("gradients that grow, so that the formula does not hold", 100, 12, 0.99, grows=1.3),
        case("500 steps of a long memory", 15, 500, 0.9999),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """Two arrays of variances, a number a step from the third on."""
    g = case.given["g"]
    each = parts(answer(g.copy(), case.given["sigma"], case.given["beta2"]), "measured", "predicted")
    shape = (g.shape[1] - 2,)
    return {name: array(x, name, shape) for name, x in zip(("measured", "predicted"), each, strict=True)}


def replay(case: Case) -> str:
    """The same with draws of the same kind: all of the case's would fill pages."""
    (runs, steps), sigma, beta2 = case.given["g"].shape, case.given["sigma"], case.given["beta2"]
    return (
        "# draws of the same kind, not those of the case\n"
        f"g = {sigma:g} * np.random.default_rng(0).normal(size=({runs}, {steps}))\n"
        f"measured, predicted = rate_variance(g, {sigma:g}, {beta2:.6g})\n"
        "for i in range(min(len(measured), 10)):\n"
        "    print('t =', i + 3, float(measured[i]), float(predicted[i]))"
    )


PROBLEM = Problem("rate.variance", "rate_variance", 4.0, cases, drive, replay)
