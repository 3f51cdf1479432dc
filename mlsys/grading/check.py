"""What the notebook calls: try an answer on every case, say what passed, teach where it failed."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Any

from mlsys.grading.secret import case_generator
from mlsys.problems import grader, problem
from mlsys.problems.attempt import AGAIN, UNWRITTEN

if TYPE_CHECKING:
    from mlsys.problems.judging import Outcome

CELL_S = 60  # seconds that a cell may run, when a notebook is graded and in `mlsys check`
LONG_S = 10


def check(name: str, answer: Any) -> float:
    """Print a line a case and return the points earned, which the cell shows to the autograder.

    name : of the exercise, as in the notebook;  answer : the function or class that was asked for
    Raises ValueError if there is no such exercise.
    """
    graded = sys.modules.get("mlsys.grading.engine.answering")
    if graded is not None and graded.connected():  # in the sandbox, where there is nothing to judge with
        return float(graded.check(name, answer))
    from mlsys.grading.absent import absent
    from mlsys.problems.judging import judge, score

    task = problem(name)
    started = time.monotonic()
    with contextlib.redirect_stderr(sys.stdout):  # nbgrader takes any line on stderr for a failed test
        outcomes = judge(task, grader(name), answer, case_generator(name))
    module = absent(name, answer)
    points = 0.0 if module else score(outcomes, task.points)
    print(report(name, outcomes, points, task.points, time.monotonic() - started))
    if module:
        print(f"  It uses {module}, which is absent when this is graded: write it yourself.")
    return float(points)


def report(name: str, outcomes: list[Outcome], points: float, full: float, took_s: float = 0.0) -> str:
    """The text that `check` prints. Of an answer that is not written yet the cases say nothing more."""
    lines = [f"{name}: {points:g} of {full:g} points"]
    first, *others = (verdict.message for _, verdict in outcomes)
    if first.endswith(UNWRITTEN) and set(others) <= {first, AGAIN}:
        return f"{lines[0]}: {first}"
    for case, verdict in outcomes:
        lines.append(f"  {'✓' if verdict.score == 1 else '✗'} {case.title}")
        if verdict.message:
            lines.append(f"      {verdict.message}")
    if took_s > LONG_S:
        lines.append(
            f"  This took {took_s:.0f} s. A cell that runs for more than {CELL_S} s is stopped when graded."
        )
    return "\n".join(lines)


def practice(name: str, seed: int = 0) -> Any:
    """What an interactive exercise serves, on made-up data of the same kind, to try things on in cells of one's own.

    sparse.project : an oracle, and a function from weights to the loss on other rows of that kind, as a share
        of that at w = 0
    tuning.study : a study, and a function test(optimizer, rate, decay) to the loss on test rows of that kind
    warmup.study : holes with noise, to ask for gradients
    Raises ValueError for an exercise that has none.
    """
    make = problem(name).practice
    if make is None:
        raise ValueError(f"{name} needs no practice data: call your function with numbers of your own.")
    return make(seed)
