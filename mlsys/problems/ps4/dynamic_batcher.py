"""A dynamic batcher, served requests on a deterministic clock: counted are batches, late answers and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array
from mlsys.problems.problem import Arrays, Case, Problem
from mlsys.problems.ps4.batch_line import Line, Load, load, practice

FIRST = "three requests, far apart"


def cases(rng: np.random.Generator) -> list[Case]:
    """Loads from quiet to hopeless."""

    def case(title: str, drawn: Load) -> Case:
        return Case(title, {"load": drawn})

    def given(come: list[int], patience: list[int], *limits: int) -> Load:
        return Load(np.array(come), np.array(come) + np.array(patience), *limits)

    shift = int(rng.integers(1, 50))
    apart = given([shift, shift + 200, shift + 400], [150, 150, 150], 4, 20, 50, 10, 3)
    full = given([shift] * 4 + [shift + 100 + i for i in range(5)], [300] * 9, 4, 30, 50, 10, 3)
    urgent = given([shift, shift + 3, shift + 5], [100, 90, int(rng.integers(24, 30))], 4, 40, 50, 10, 3)
    older = given([shift, shift + 10, shift + 15], [400, 200, 300], 4, 20, 50, 10, 3)
    just = given([shift, shift + 5, shift + 50], [13, 21, 12], 4, 20, 50, 10, 3)
    ties = given([shift] * 6 + [shift + 1] * 3, [120] * 6 + [119] * 3, 4, 20, 50, 20, 5)
    return [
        case(FIRST, apart),
        case("a batch that fills up", full),
        case("a hurried one comes last", urgent),
        case("the oldest is not the most urgent", older),
        case("answers at just the deadline, and one that cannot come in time", just),
        case("equal deadlines: in the order of arrival", ties),
        case("a moderate load", load(rng, 40, 8, (60, 200), wait=80)),
        case("much patience: batches fill", load(rng, 40, 4, (150, 500), wait=100, most=8)),
        case("little patience", load(rng, 40, 9, (13, 60), wait=30)),
        case("no waiting: wait = 0", load(rng, 30, 9, (50, 200), wait=0)),
        case("beyond what it can do", load(rng, 80, 3, (30, 150))),
        case("little room", load(rng, 60, 3, (100, 300), room=5)),
        case("one at a time: most = 1", load(rng, 25, 13, (20, 100), most=1)),
        case("a large batch costs hardly more", load(rng, 60, 3, (50, 150), most=16, wait=70, cost=(20, 1))),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """What became of each request, and the counts."""
    given = case.given["load"]
    fresh = Load(given.come.copy(), given.deadline.copy(), *given[2:])
    line = Line(fresh)
    log = line.serve(answer(*line.limits))
    return {
        "start": array(log.start),
        "refused": array(log.refused),
        "batches": np.array(float(len(log.batches))),
        "late": np.array(float(log.late(fresh))),
    }


def replay(case: Case) -> str:
    """The batcher on a load made up for practice, told event by event."""
    return (
        "# made-up requests of the same kind, not those of the case\n"
        'line = practice("dynamic.batcher", seed=0)\n'
        "log = line.serve(Batcher(*line.limits), show=print)"
    )


PROBLEM = Problem("dynamic.batcher", "Batcher", 4.0, cases, drive, replay, practice)
