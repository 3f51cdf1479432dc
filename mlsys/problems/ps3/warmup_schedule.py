"""A rate that rises in a line and then falls, as a root or as half a cosine."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import number
from mlsys.problems.problem import Arrays, Case, Problem


def cases(rng: np.random.Generator) -> list[Case]:
    """Schedules, and the steps at which they are asked; each at a step where a usual mistake shows."""

    def case(title: str, t: Any, *schedules: tuple[int, int, str], floor: float = 0.01) -> Case:
        made = []
        for warm, total, shape in schedules:
            peak = float(rng.uniform(0.1, 1))
            made.append((peak, floor * peak, warm, total, shape))
        return Case(title, {"schedules": made, "t": [int(x) for x in t]})

    warm = int(rng.integers(4, 9))
    total = int(rng.integers(60, 90))
    restart = rng.permutation(np.arange(2 * warm, total, 7))
    return [
        case("the first steps, and the peak", range(warm + 1), (warm, 100, "root")),
        case("a root after the warm-up", [warm, warm + 1, 2 * warm, 50, 99], (warm, 100, "root")),
        case("a root that comes down to the floor", [2000, 10**4, 10**6], (warm, 100, "root"), floor=0.05),
        case(
            "half a cosine after the warm-up",
            [warm, warm + 1, total // 2, total - 3],
            (warm, total, "cosine"),
            floor=0.1,
        ),
        case(
            "the last step of a cosine, and those after it",
            [total - 2, total - 1, total, total + 20],
            (warm, total, "cosine"),
            floor=0.2,
        ),
        case("a floor above the first rates", range(4), (9, total, "cosine"), floor=0.5),
        case("no warm-up, a root", [0, 1, 2, 30], (0, total, "root")),
        case("no warm-up, a cosine", [0, 1, 2, 30], (0, total, "cosine")),
        case("asked in any order, as after a restart", restart, (warm, total, "cosine")),
        case("two schedules, asked in turns", range(0, 20, 3), (12, total, "root"), (5, total, "cosine")),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """An object a schedule, asked in turns."""
    objects = [answer(*schedule) for schedule in case.given["schedules"]]
    rates: list[list[np.ndarray]] = [[] for _ in objects]
    for t in case.given["t"]:
        for k, schedule in enumerate(objects):
            rates[k].append(number(schedule.rate(t), f"what rate({t}) returns"))
    return {_name(case, k): np.stack(each) for k, each in enumerate(rates)}


def _name(case: Case, k: int) -> str:
    return "rate" + f" of schedule {k + 1}" * (len(case.given["schedules"]) > 1)


def replay(case: Case) -> str:
    """The rates, as code."""
    lines = []
    for k, given in enumerate(case.given["schedules"], 1):
        peak, floor, *rest = given
        lines.append(f"s{k} = WarmUp({', '.join([f'{peak:.6g}', f'{floor:.6g}', *map(repr, rest)])})")
    lines.append(f"for t in {case.given['t']}:")
    asked = ", ".join(f"s{k}.rate(t)" for k in range(1, len(case.given["schedules"]) + 1))
    return "\n".join([*lines, f"    print(t, {asked})"])


PROBLEM = Problem("warmup.schedule", "WarmUp", 3.0, cases, drive, replay)
