"""The gate: every known answer to every exercise must get the score that it deserves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from mlsys.problems.judging import judge, score
from mlsys.problems.problem import Answer
from mlsys.problems.registry import exercises, grader, problem

SEEDS = (0, 1, 2)
MOST = {"blank": 0.0, "idle": 0.25}  # share of the points that answers of these kinds may earn


class Row(NamedTuple):
    """An answer of kind reference, right, blank, idle or wrong; score : over the seeds, the worst of a right one, the
    best of another."""

    exercise: str
    answer: str
    kind: str
    score: float
    points: float

    @property
    def passes(self) -> bool:
        """Full for a right answer, 0 for the blank, a quarter at most for an idle one, not full for a wrong one."""
        if self.kind in MOST:
            return self.score <= MOST[self.kind] * self.points
        return self.score < self.points if self.kind == "wrong" else self.score == self.points


def blank(*args: Any, **kwargs: Any) -> Any:
    """What a released notebook holds."""
    raise NotImplementedError


def earned(name: str, answer: Any, seed: int) -> float:
    """The points of an answer, a function or a class, on the cases that a seed draws."""
    task = problem(name)
    outcomes = judge(task, grader(name), answer, np.random.default_rng(seed), explain=False)
    return score(outcomes, task.points)


def rows(name: str, seeds: Iterable[int] = SEEDS) -> list[Row]:
    """The gate's rows of one exercise."""
    task, theirs = problem(name), grader(name)

    def built(kind: str, known: dict[str, Answer]) -> list[tuple[str, str, Any]]:
        return [(key, kind, answer.build(task.target)) for key, answer in known.items()]

    known = [
        *built("reference", {"reference": theirs.reference}),
        *built("right", theirs.right),
        ("blank", "blank", blank),
        *built("idle", theirs.idle),
        *built("wrong", theirs.wrong),
    ]
    found = []
    for key, kind, answer in known:
        scores = [earned(name, answer, seed) for seed in seeds]
        worst = max(scores) if kind in ("blank", "idle", "wrong") else min(scores)
        found.append(Row(name, key, kind, worst, task.points))
    return found


def table(assignment: str, seeds: Iterable[int] = SEEDS) -> list[Row]:
    """The gate's rows of a problem set. Raises ValueError for a set that does not exist."""
    return [row for name in exercises(assignment) for row in rows(name, tuple(seeds))]
