"""AdaGrad with a running sum: one vector of memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.judging import array
from mlsys.problems.problem import Arrays, Case, Problem


def cases(rng: np.random.Generator) -> list[Case]:
    """First step, several steps, scales that differ, a coordinate without gradient."""

    def given(gradients: np.ndarray, eta: float, delta: float) -> dict[str, Any]:
        return {"w": rng.normal(size=gradients.shape[1]), "gradients": gradients, "eta": eta, "delta": delta}

    scales = 10.0 ** rng.integers(-3, 4, size=5)
    silent = rng.normal(size=(4, 3))
    silent[:, 1] = 0.0
    return [
        Case("the first step", given(rng.normal(size=(1, 2)), 0.1, 1e-6)),
        Case("eight steps", given(rng.normal(size=(8, 3)), float(rng.uniform(0.05, 0.5)), 1e-3)),
        Case("coordinates of very different scales", given(rng.normal(size=(6, 5)) * scales, 0.2, 1e-6)),
        Case("a coordinate that never has a gradient stays", given(silent, 0.3, 1e-3)),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """Call the step once a gradient and record where w and r went."""
    w, r = case.given["w"].copy(), np.zeros_like(case.given["w"])
    path, sums = [], []
    for g in case.given["gradients"]:
        r, w = answer(r.copy(), w.copy(), g.copy(), case.given["eta"], case.given["delta"])
        r, w = array(r, "r"), array(w, "w")
        path.append(w)
        sums.append(r)
    return {"r": np.stack(sums), "w": np.stack(path)}


PROBLEM = Problem("adagrad.running", "adagrad_step", 2.0, cases, drive)
