"""What a model weighs on disk, and what a prediction costs in joules."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import number, parts
from mlsys.problems.problem import Arrays, Case, Problem

ARGUMENTS = ("tensors", "bits", "group", "readings", "modulus", "seconds", "idle_watts", "answered")


def cases(rng: np.random.Generator) -> list[Case]:
    """Nets of a few tensors, and a counter of microjoules read now and then."""

    def case(
        title: str, bits: int, group: int, *shapes: tuple[int, ...], tied: bool = False, turns: int = 0
    ) -> Case:
        storages = [int(s) for s in rng.choice(10_000, size=len(shapes), replace=False)]
        tensors = list(zip(storages, shapes, strict=True))
        if tied:
            tensors.append(tensors[0])
        modulus = int(rng.integers(6 * 10**7, 7 * 10**7))
        reads = max(4, 3 * turns)
        # so many microjoules between two readings that the counter turns as often as asked for
        between = rng.dirichlet(np.full(reads, 30.0)) * (turns + rng.uniform(0.2, 0.4)) * modulus
        first = 0.3 * modulus if turns == 0 else 0.7 * modulus
        readings = (first + np.cumsum(np.append(0, between))) % modulus
        seconds = float(np.round(rng.uniform(1, 3), 2))
        idle = float(np.round(1e-6 * between.sum() * rng.uniform(0.2, 0.6) / seconds, 2))
        counter = {"readings": [int(r) for r in readings], "modulus": modulus, "seconds": seconds}
        model = {"tensors": tensors, "bits": bits, "group": group}
        return Case(title, {**model, **counter, "idle_watts": idle, "answered": int(rng.integers(50, 5000))})

    wide = int(rng.integers(3, 9)) * 64
    return [
        case("two layers in 8 bits, groups of 64", 8, 64, (wide, 128), (wide,), (10, wide), (10,)),
        case("4 bits: two numbers a byte", 4, 32, (wide, 64), (wide,)),
        case("3 bits, which do not fill the last byte", 3, 64, (7, 9), (5, 11), (7,)),
        case("a group that is not full at the end", 8, 100, (33, 7), (3, wide), (33,)),
        case("a group larger than the tensor", 4, 1024, (6, 5), (6,), ()),
        case("a convolution, four dimensions", 2, 16, (wide, 3, 3, 3), (wide,), (8, wide, 1, 1)),
        case("the first tensor is used again by the last layer", 8, 128, (1000, wide), (wide,), tied=True),
        case("the counter turns over once", 8, 64, (wide, 32), turns=1),
        case("the counter turns over three times", 8, 64, (wide, 32), turns=3),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """Two numbers."""
    given = {
        **case.given,
        "tensors": list(case.given["tensors"]),
        "readings": np.array(case.given["readings"]),
    }
    size, joules = parts(answer(*(given[key] for key in ARGUMENTS)), "size", "joules", rows=False)
    return {"size": number(size, "size"), "joules": number(joules, "joules")}


def replay(case: Case) -> str:
    """The call, as code."""
    lines = [f"{key} = {case.given[key]!r}" for key in ARGUMENTS]
    lines[3] = f"readings = np.array({case.given['readings']})"
    return "\n".join([*lines, f"print(footprint({', '.join(ARGUMENTS)}))"])


PROBLEM = Problem("size.energy", "footprint", 2.0, cases, drive, replay)
