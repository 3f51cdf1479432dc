"""The experiment: final losses over a grid of rates, without and with warm-up, and how wide the usable range is."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array, literal, parts
from mlsys.problems.problem import Arrays, Case, Problem
from mlsys.problems.ps3.holes import Holes, holes, numbers

CALLS = "gradients asked for"
STEPS = 60  # for which there is noise in practice


def cases(rng: np.random.Generator) -> list[Case]:
    """Holes of several kinds; the noise of each step is given, so that every run is the same for everybody."""

    def case(
        title: str, d: int, steps: int, warm: int, rates: int = 10, rho: float = 0.99, target: float = 0.2
    ) -> Case:
        grid = np.logspace(-2.2, 0.5, rates) * 10 ** rng.uniform(-0.05, 0.05)
        a, start, noise = numbers(rng, d, steps)
        given = {"a": a, "start": start, "noise": noise, "rates": grid, "warm": warm}
        return Case(title, {**given, "rho": rho, "target": target})

    return [
        case("eight weights, 60 steps", 8, 60, 10, rates=16),
        case("a single weight", 1, 30, 10),
        case("a grid of three rates", 5, 30, 20, rates=3),
        case("a warm-up of one step", 6, 20, 1),
        case("a short memory: rho = 0.8", 6, 30, 10, rho=0.8),
        case("a long memory: rho = 0.999", 8, 40, 20, rho=0.999),
        case("five steps, in which no run gets there", 4, 5, 2, rates=5, target=1e-9),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """The table, the widths, and how often gradients were asked for."""
    given = case.given
    rates, steps = given["rates"], len(given["noise"])
    problem = Holes(given["a"], given["start"], given["noise"], 10 * 2 * len(rates) * steps)
    result = answer(problem, rates.copy(), steps, given["warm"], given["rho"], given["target"])
    table, width = parts(result, "table", "width")
    return {
        "table": array(table, "table", (2, len(rates))),
        "width": array(width, "width", (2,)),
        CALLS: np.array(float(problem.asked)),
    }


def replay(case: Case) -> str:
    """The study on holes made up for practice, with the case's own grid."""
    given = case.given
    steps = len(given["noise"])
    return (
        "# made-up holes of the same kind, not those of the case\n"
        f"problem = practice('warmup.study', seed=0)\n"
        f"rates = {literal(given['rates'])}\n"
        f"table, width = warmup_study(problem, rates, {min(steps, STEPS)}, {given['warm']}, {given['rho']:g}, "
        f"{given['target']:g})\n"
        "print(np.round(np.asarray(table, dtype=float), 3))\n"
        "print(width)"
    )


def practice(seed: int) -> Holes:
    """Eight holes, with noise for 60 steps."""
    return holes(seed, 8, STEPS, 10**9)


PROBLEM = Problem("warmup.study", "warmup_study", 4.0, cases, drive, replay, practice)
