"""The known answers to a problem set, who picks which, and the points that each earns."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable
from pathlib import Path

from mlsys.core import generator
from mlsys.grading.mend import BORROWED
from mlsys.grading.secret import VARIABLE, case_generator
from mlsys.problems import exercises, grader, problem
from mlsys.problems.judging import judge, score
from mlsys.problems.problem import Answer

BLANK = "blank"

Picks = dict[str, str]  # by exercise: "reference", "blank", or the name of another answer
Plan = Callable[[int, str], str]  # from an exercise's place and name to the answer picked


def nth(kind: str, n: int) -> Plan:
    """The n-th right or wrong answer to every exercise, counted round."""

    def pick(place: int, name: str) -> str:
        names = list(getattr(grader(name), kind))
        return names[(n + place) % len(names)]

    return pick


def alternating(*plans: Plan) -> Plan:
    return lambda place, name: plans[place % len(plans)](place, name)


def all_of(answer: str) -> Plan:
    return lambda place, name: answer


def picks(assignment: str, plan: Plan) -> Picks:
    """What a plan picks for every exercise."""
    return {name: plan(place, name) for place, name in enumerate(exercises(assignment))}


def every_answer(assignment: str) -> list[Picks]:
    """As few students as it takes to hand in every answer of one's own to every exercise, the blank among them."""
    there = {
        name: [*(p for p in known(name) if not borrowed(name, p)), BLANK] for name in exercises(assignment)
    }
    return [
        {name: answers[n % len(answers)] for name, answers in there.items()}
        for n in range(max(map(len, there.values())))
    ]


def drawn(assignment: str, number: int) -> Picks:
    """The picks of the n-th ordinary student: mostly right, often wrong, at times idle or blank."""
    rng = generator(number, "demo", assignment)
    kinds = {"right": 0.55, "wrong": 0.3, "idle": 0.05, BLANK: 0.1}

    def pick(place: int, name: str) -> str:
        kind = str(rng.choice(list(kinds), p=list(kinds.values())))
        if kind == BLANK:
            return BLANK
        names = ["reference"] * (kind == "right")
        names += [answer for answer in getattr(grader(name), kind) if not borrowed(name, answer)]
        return names[rng.integers(len(names))]

    return picks(assignment, pick)


def known(name: str) -> dict[str, Answer]:
    """All known answers to an exercise."""
    half = grader(name)
    return {"reference": half.reference, **half.idle, **half.right, **half.wrong}


def source(name: str, pick: str) -> str:
    """What a student typed; nothing if blank."""
    return "" if pick == BLANK else known(name)[pick].source(problem(name).target).strip()


def borrowed(name: str, pick: str) -> bool:
    """Whether an answer names what holds the answers: it is flagged, and finds nothing there when it is graded."""
    return BORROWED.search(source(name, pick)) is not None


def expected(name: str, pick: str) -> float:
    """The points of a known answer on the course's own cases."""
    file = os.environ.get(VARIABLE)
    nothing = pick == BLANK or borrowed(name, pick)
    return 0.0 if nothing else _expected(name, pick, Path(file).read_text() if file else "")


@functools.cache
def _expected(name: str, pick: str, secret: str) -> float:
    """Judged once for each secret, which draws the cases, and not once for each student."""
    task, half, answer = problem(name), grader(name), known(name)[pick]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcomes = judge(task, half, answer.build(task.target), case_generator(name), explain=False)
    return score(outcomes, task.points)
