"""From an answer to a verdict a case: try it, compare it, and say what to look at."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from mlsys.problems.attempt import AGAIN, UNWRITTEN, Attempt, attempt, seeded
from mlsys.problems.hints import Exam, cut_to_whole, few_digits, kept_between_calls, known_mistakes
from mlsys.problems.problem import Case, Grader, Problem, Verdict

Try = Callable[[Case], Attempt]  # an answer on a case, here or in another process

NAN = "nan comes from 0/0, from inf - inf, or from the root of a negative number."


class Outcome(NamedTuple):
    """A case with what the judge said of it."""

    case: Case
    verdict: Verdict


def score(outcomes: list[Outcome], points: float) -> float:
    """The points earned, in tenths: each case's weight counts, and only a perfect answer rounds to full."""
    total = sum(o.case.weight for o in outcomes)
    share = sum(o.case.weight * o.verdict.score for o in outcomes) / total
    return points if share == 1 else min(round(points * share, 1), round(points - 0.1, 1))


def exam(problem: Problem, grader: Grader, rng: np.random.Generator) -> Exam:
    """Draw the cases of an exercise; the same for every answer that is tried on them."""
    reference, cases = grader.reference.build(problem.target), problem.cases(rng)
    expected = []
    for case in cases:
        with seeded():
            expected.append(problem.drive(reference, grader.serve(case)))
    return Exam(problem, grader, cases, expected)


def judge(
    problem: Problem, grader: Grader, answer: Any, rng: np.random.Generator, explain: bool = True
) -> list[Outcome]:
    """The verdict on each case of an answer, the function or class itself; see `judge_tries`."""
    return judge_tries(partial(attempt, problem, answer), exam(problem, grader, rng), explain)


def judge_tries(answer: Try, exam: Exam, explain: bool = True) -> list[Outcome]:
    """The verdict on each case; an answer that raises gets 0 for that case and keeps the others.

    answer(case) : tries the student's function or class on a case, here or in another process
    explain : whether to look for the mistake behind the cases that failed, and to say how to see one by itself
    """
    tries, verdicts = [], []
    for case, want in zip(exam.cases, exam.expected, strict=True):
        tries.append(answer(exam.grader.serve(case)))
        arrays, failure = tries[-1]
        verdicts.append(Verdict(0.0, failure) if arrays is None else exam.grader.judge(case, arrays, want))
    if explain:
        verdicts = _explained(answer, exam, tries, verdicts)
    return [Outcome(case, verdict) for case, verdict in zip(exam.cases, verdicts, strict=True)]


def _explained(answer: Try, exam: Exam, tries: list[Attempt], verdicts: list[Verdict]) -> list[Verdict]:
    """The verdicts, with what is repeated cut short, hints, and code to run at the first case that has a hint."""
    failed = [i for i, verdict in enumerate(verdicts) if verdict.score < 1]
    if not failed:
        return verdicts
    texts, seen = [verdict.message for verdict in verdicts], set[str]()
    for i in failed:
        texts[i] = AGAIN if texts[i] in seen else texts[i]
        seen.add(texts[i])
    nan = [i for i in failed if re.search(r"\bnan\b", texts[i])]
    if nan and "0/0" not in texts[nan[0]]:
        texts[nan[0]] += f" {NAN}"
    if not texts[failed[0]].endswith(UNWRITTEN):
        hints = (
            kept_between_calls(exam, answer, tries, failed)
            or known_mistakes(exam, tries, failed)
            or cut_to_whole(tries, exam.expected, failed)
            or few_digits(tries, exam.expected, failed)
        )
        at = next(iter(hints), failed[0])
        texts[at] += f" {hints[at]}" if hints else ""
        code = textwrap.indent(exam.problem.replay(exam.cases[at]), " " * 10)
        texts[at] += f"\n      To look closer, run in a cell of its own:\n{code}"
    return [Verdict(verdict.score, text) for verdict, text in zip(verdicts, texts, strict=True)]
