"""The rate of large-batch SGD: linear scaling, a gradual warm-up, and a fall at milestones."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array
from mlsys.problems.problem import Arrays, Case, Problem

ARGUMENTS = ("micro", "accumulate", "n", "base_rate", "warm_epochs", "milestones")


def cases(rng: np.random.Generator) -> list[Case]:
    """Batches from 64 to 8192, made of micro-batches; each asked where a usual mistake shows."""

    def case(title: str, updates: Any, micro: int, accumulate: int, n: int, **given: Any) -> Case:
        usual = {"base_rate": float(rng.uniform(0.05, 0.2)), "warm_epochs": 5, "milestones": [30, 60, 80]}
        asked = {"updates": np.array(updates), "micro": micro, "accumulate": accumulate, "n": n}
        return Case(title, {**asked, **usual, **given})

    spare = int(rng.integers(100, 900))
    n, few = 50_000 + spare, 1024 * 20 + spare  # whose last batch is not full
    epoch, short = n // 2048, few // 1024
    return [
        case("the warm-up, from the base rate to the peak", [0, 1, 40, 5 * epoch - 1, 5 * epoch], 2048, 1, n),
        case(
            "the milestones",
            [30 * epoch - 1, 30 * epoch, 30 * epoch + 1, 70 * epoch, 99 * epoch],
            2048,
            1,
            n,
        ),
        case("the batch comes in 16 parts", [0, 7, 5 * short - 1, 5 * short, 30 * short], 64, 16, few),
        case(
            "other epochs",
            [1, 2 * short - 1, 9 * short, 10 * short],
            1024,
            1,
            few,
            warm_epochs=2,
            milestones=[10, 12],
        ),
        case("a batch of 64: the scaled rate is below the base rate", [0, 10, 10**6], 64, 1, n),
        case("no warm-up", [0, 1, 29 * epoch], 1024, 2, n, warm_epochs=0),
        case("no milestones", [3, 500 * short], 512, 2, few, milestones=[]),
        case("updates in a table, (2, 3)", rng.integers(0, 100 * epoch, size=(2, 3)), 2048, 1, n),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """The rate of each update."""
    given = case.given
    arguments = [list(given[key]) if key == "milestones" else given[key] for key in ARGUMENTS]
    return {"rate": array(answer(given["updates"].copy(), *arguments), "the rate", given["updates"].shape)}


def replay(case: Case) -> str:
    """The call, as code."""
    given = case.given
    arguments = ", ".join(f"{given[k]:.6g}" if k == "base_rate" else repr(given[k]) for k in ARGUMENTS)
    return f"print(large_batch_rate(np.array({given['updates'].tolist()}), {arguments}))"


PROBLEM = Problem("large.batch", "large_batch_rate", 2.0, cases, drive, replay)
