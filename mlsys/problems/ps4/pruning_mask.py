"""Masks that prune: the least important weights of a matrix, or all but n in every m."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array, literal
from mlsys.problems.problem import Arrays, Case, Problem


def cases(rng: np.random.Generator) -> list[Case]:
    """Matrices whose weights and inputs differ in size, and some with equal scores."""

    def case(title: str, w: np.ndarray, size: np.ndarray | None = None, **given: Any) -> Case:
        sizes = rng.uniform(0.2, 4, size=w.shape[1]) if size is None else size
        return Case(title, {"w": w, "size": sizes, "keep": None, "pattern": None, **given})

    def normal(rows: int, columns: int) -> np.ndarray:
        return rng.normal(size=(rows, columns))

    equal = rng.choice([-2.0, -1.0, 1.0, 2.0], size=(3, 8))
    return [
        case("plain magnitude: inputs of one size", normal(3, 5), np.ones(5), keep=6),
        case("inputs of different sizes", normal(4, 6), keep=10),
        case("uneven rows: some keep more than others", normal(4, 5) * [[8.0], [0.1], [1.0], [2.0]], keep=9),
        case("one weight is kept", normal(3, 4), keep=1),
        case("all are kept", normal(3, 4), keep=12),
        case("none is kept", normal(2, 4), keep=0),
        case("equal scores: the first ones are kept", np.sign(equal), np.ones(8), keep=10),
        case("2:4, inputs of one size", normal(3, 8), np.ones(8), pattern=(2, 4)),
        case("2:4, inputs of different sizes", normal(4, 12), pattern=(2, 4)),
        case("2:4 with equal scores", equal, np.ones(8), pattern=(2, 4)),
        case("1:4", normal(3, 8), pattern=(1, 4)),
        case("4:8", normal(2, 16), pattern=(4, 8)),
        case("2:4 with ten inputs: the last two are both kept", normal(3, 10), pattern=(2, 4)),
        case("2:4 with seven inputs: of the last three two are kept", normal(3, 7), pattern=(2, 4)),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """The mask as zeros and ones."""
    given = case.given
    mask = answer(given["w"].copy(), given["size"].copy(), given["keep"], given["pattern"])
    return {"mask": array(mask, "the mask", given["w"].shape)}


def replay(case: Case) -> str:
    """The call, as code."""
    given = case.given
    lines = [f"w, size = {literal(given['w'])}, {literal(given['size'])}"]
    lines.append("print((abs(w) * size).round(3))")
    lines.append(f"print(np.asarray(prune_mask(w, size, {given['keep']}, {given['pattern']})).astype(int))")
    return "\n".join(lines)


PROBLEM = Problem("pruning.mask", "prune_mask", 2.0, cases, drive, replay)
