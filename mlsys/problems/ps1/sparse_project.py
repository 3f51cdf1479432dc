"""The project: reach a target on a sparse problem within a budget of gradient evaluations.

The oracle comes with the case, from the grader's side, which draws the data and counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array
from mlsys.problems.problem import Arrays, Case, Problem
from mlsys.problems.ps1.sparse_rows import practice


def cases(rng: np.random.Generator) -> list[Case]:
    """Three problems of the same kind; the grader draws the data from the seed."""
    seeds = [int(s) for s in rng.integers(2**31, size=3)]
    return [Case(f"{d} weights", {"seed": s, "d": d}) for d, s in zip((80, 90, 100), seeds, strict=True)]


def drive(answer: Any, case: Case) -> Arrays:
    """Let the answer use the oracle up, and take the weights that it returns."""
    oracle = case.given["oracle"]
    w = array(answer(oracle), "the returned weights", (oracle.d,))
    return {"w": w[None], "evaluations left": np.asarray(float(oracle.left))}


def replay(case: Case) -> str:
    """The answer on rows of the same kind that are made up for practice."""
    return (
        "# made-up rows of the same kind, not those of the case: they stay with the check\n"
        'oracle, loss = practice("sparse.project", seed=0)\n'
        'print(loss(minimise(oracle)), "of the loss at w = 0;", oracle.left, "evaluations left")'
    )


PROBLEM = Problem("sparse.project", "minimise", 4.0, cases, drive, replay, practice)
