"""Random features for a kernel with a length of its own for each input."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array, literal, parts
from mlsys.problems.problem import Arrays, Case, Problem


def cases(rng: np.random.Generator) -> list[Case]:
    """Points, and the draws that features are made of: given, so that no chance is in the verdict."""

    def case(
        title: str, n: int, d: int, D: int, lengths: np.ndarray | None = None, spread: float = 1.0
    ) -> Case:
        lengths = rng.uniform(0.5, 2, size=d) if lengths is None else lengths
        X = spread * lengths * rng.normal(size=(n, d))
        normal, phase = rng.normal(size=(D, d)), rng.uniform(0, 2 * np.pi, size=D)
        return Case(title, {"X": X, "lengths": lengths, "normal": normal, "phase": phase})

    return [
        case("four points in three dimensions, six features", 4, 3, 6),
        case("all lengths 1", 5, 4, 8, np.ones(4)),
        case("one dimension", 4, 1, 5),
        case("one feature", 3, 2, 1),
        case("one point", 1, 3, 4),
        case("lengths of a thousandth and of a thousand", 4, 3, 6, np.array([1e-3, 1.0, 1e3])),
        case("points that are far apart", 4, 3, 6, spread=6.0),
        case("points that are near", 4, 3, 6, spread=0.05),
        case("as many features as dimensions", 4, 5, 5),
        case("500 features", 6, 4, 500),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """The features and the kernel."""
    given = case.given
    result = answer(*(given[key].copy() for key in ("X", "lengths", "normal", "phase")))
    Z, K = parts(result, "Z", "K")
    n = len(given["X"])
    return {"K": array(K, "K", (n, n)).ravel(), "Z": array(Z, "Z", (n, len(given["phase"]))).ravel()}


def replay(case: Case) -> str:
    """The call, as code; draws of the same kind where there are many."""
    given = case.given
    D, d = given["normal"].shape
    lines = [f"{key} = {literal(given[key])}" for key in ("X", "lengths")]
    if D > 10:
        lines += ["# draws of the same kind, not those of the case", "rng = np.random.default_rng(0)"]
        lines.append(f"normal, phase = rng.normal(size=({D}, {d})), rng.uniform(0, 2 * np.pi, size={D})")
    else:
        lines += [f"{key} = {literal(given[key])}" for key in ("normal", "phase")]
    return "\n".join(
        [
            *lines,
            "Z, K = kernel_features(X, lengths, normal, phase)",
            "Z = np.asarray(Z)",
            "print(K, Z @ Z.T, sep='\\n')",
        ]
    )


PROBLEM = Problem("random.features", "kernel_features", 2.0, cases, drive, replay)
