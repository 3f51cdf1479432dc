"""What the notebook calls: try an answer on every case, say what passed, teach where it failed."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from mlsys.grading.secret import case_generator
from mlsys.problems import grader, problem
from mlsys.problems.judging import Outcome, judge, score


def check(name: str, answer: Any) -> float:
    """Print a line a case and return the points earned, which the cell shows to the autograder.

    name : of the exercise, as in the notebook;  answer : the function or class that was asked for
    Raises ValueError if there is no such exercise.
    """
    task = problem(name)
    with contextlib.redirect_stderr(sys.stdout):  # nbgrader takes any line on stderr for a failed test
        outcomes = judge(task, grader(name), answer, case_generator(name))
    points = score(outcomes, task.points)
    print(report(name, outcomes, points, task.points))
    return float(points)


def report(name: str, outcomes: list[Outcome], points: float, full: float) -> str:
    """The text that `check` prints."""
    lines = [f"{name}: {points:g} of {full:g} points"]
    for case, verdict in outcomes:
        lines.append(f"  {'✓' if verdict.score == 1 else '✗'} {case.title}")
        if verdict.message:
            lines.append(f"      {verdict.message}")
    return "\n".join(lines)
