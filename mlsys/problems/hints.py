"""What lies behind an answer's failures: found by trying, not by reading its code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mlsys.problems.attempt import Attempt, driven
from mlsys.problems.compare import alike, differs
from mlsys.problems.problem import Arrays, Case, Grader, Problem

Hints = dict[int, str]  # by case

KEPT = (
    "Tried again on the same numbers, it gives something else: something is kept from one problem to the next. "
    "Is it in a global, in the class rather than in self, or in a default argument? "
    "(If your code draws random numbers, seed them.)"
)
DIGITS = (
    "All differences are small: is something rounded, or kept in few digits (torch's own default is float32)?"
)
WHOLE = (
    "Each number is the right one without its digits after the point: is it written into an array of whole numbers? "
    "np.zeros_like of one is such an array too, unless it is given dtype=float."
)


@dataclass
class Exam:
    """The cases that a seed draws, and what the reference gives on each.

    What the known mistakes give is kept once it is tried: for a class, each is tried once.
    """

    problem: Problem
    grader: Grader
    cases: list[Case]
    expected: list[Arrays]
    _mistaken: dict[tuple[str, int], Arrays | None] = field(default_factory=dict)

    def known_mistakes(self) -> list[tuple[str, int]]:
        """The wrong answers that a hint goes with, on each case."""
        named = [name for name, wrong in self.grader.wrong.items() if wrong.hint]
        return [(name, i) for name in named for i in range(len(self.cases))]

    def mistaken(self, name: str, i: int) -> Arrays | None:
        """What a wrong answer of the grader's gives on case i."""
        if (name, i) not in self._mistaken:
            answer = self.grader.wrong[name].build(self.problem.target)
            tried = driven(self.problem, answer, self.grader.serve(self.cases[i]))
            self._mistaken[name, i] = tried.arrays
        return self._mistaken[name, i]


def kept_between_calls(
    exam: Exam, answer: Callable[[Case], Attempt], tries: list[Attempt], failed: list[int]
) -> Hints:
    """Whether the answer gives the same a second time: what failed for memories of another case is no mistake there."""
    for case, first in zip(exam.cases, tries, strict=True):
        again = answer(exam.grader.serve(case))
        if first.arrays is not None and (again.arrays is None or not same(first.arrays, again.arrays)):
            return {failed[0]: KEPT}
    return {}


def known_mistakes(exam: Exam, tries: list[Attempt], failed: list[int]) -> Hints:
    """The hint of a known mistake, at the first failed case on which one gives the same arrays as the answer.

    An agreement on one case may be chance: it has to be on half of the failed cases, and on all that passed. Where
    several mistakes agree, the one is named that does so on most cases.
    """
    mistakes = {name: wrong.hint for name, wrong in exam.grader.wrong.items() if wrong.hint}

    def agrees(name: str, i: int) -> bool:
        """Where nothing but nan is left, many mistakes look alike."""
        arrays = tries[i].arrays or {}
        told = all(np.isfinite(array).any() for array in arrays.values() if array.size)
        return told and same(arrays, exam.mistaken(name, i))

    passed = [i for i in range(len(exam.cases)) if i not in failed]
    for i in failed:
        fit = [name for name in mistakes if tries[i].arrays and agrees(name, i)]
        often = [sum(agrees(name, j) for j in failed) for name in fit]
        for count, name in sorted(zip(often, fit, strict=True), key=lambda one: -one[0]):
            if 2 * count >= len(failed) and all(agrees(name, j) for j in passed):
                return {i: mistakes[name]}
    return {}


def few_digits(tries: list[Attempt], expected: list[Arrays], failed: list[int]) -> Hints:
    """Whether most cases failed, and all of them by no more than 16 bits would make them."""
    if 2 * len(failed) < len(tries):
        return {}
    for i in failed:
        arrays = tries[i].arrays
        if arrays is None or any(
            name not in arrays or arrays[name].shape != want.shape for name, want in expected[i].items()
        ):
            return {}
        for name, want in expected[i].items():
            if differs(arrays[name], want, rtol=1e-2, atol=0.0).any():
                return {}
    return {failed[0]: DIGITS}


def cut_to_whole(tries: list[Attempt], expected: list[Arrays], failed: list[int]) -> Hints:
    """Whether every case gave what an array of whole numbers keeps of the right ones."""
    for attempt, want in zip(tries, expected, strict=True):
        if not same(attempt.arrays, {name: np.trunc(array) for name, array in want.items()}):
            return {}
    return {failed[0]: WHOLE}


def same(one: Arrays | None, other: Arrays | None) -> bool:
    """Whether two answers gave the same, within rounding."""
    return one is not None and other is not None and one.keys() == other.keys() and alike(one, other)
