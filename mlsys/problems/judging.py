"""From an answer to a verdict a case: drive it, compare it, and name the mistake where it is a known one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mlsys.problems.problem import Arrays, Case, Grader, Problem, Verdict


class Outcome(NamedTuple):
    """A case with what the judge said of it."""

    case: Case
    verdict: Verdict


def array(value: Any, name: str = "the result") -> np.ndarray:
    """A plain float64 array, whatever the student's object is.

    Raises TypeError where there is nothing numeric in it. Coercion strips subclasses, so that an object whose
    __eq__ always agrees gains nothing.
    """
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        return np.array(np.asarray(value, dtype=np.float64), subok=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} should be an array of numbers; it is {_short(value)}.") from error


def close(arrays: Arrays, expected: Arrays, rtol: float = 1e-6, atol: float = 1e-9) -> Verdict:
    """Full score if every expected array is there, finite, of the right shape, and equal within rounding."""
    for name, want in expected.items():
        got = arrays.get(name)
        if got is None:
            return Verdict(0.0, f"{name} is missing.")
        if got.shape != want.shape:
            return Verdict(0.0, f"{name} should have shape {want.shape}; it has {got.shape}.")
        if not np.isfinite(got).all() and np.isfinite(want).all():
            return Verdict(0.0, f"{name} holds {got[~np.isfinite(got)][0]} where {_short(want)} is expected.")
        if not np.allclose(got, want, rtol=rtol, atol=atol, equal_nan=True):
            return Verdict(0.0, f"{name} should be {_short(want)}; it is {_short(got)}.")
    return Verdict(1.0)


def score(outcomes: list[Outcome], points: float) -> float:
    """The points earned: each case's weight counts, and only a perfect answer rounds to full."""
    total = sum(o.case.weight for o in outcomes)
    share = sum(o.case.weight * o.verdict.score for o in outcomes) / total
    return points if share == 1 else min(round(points * share, 2), round(points - 0.01, 2))


def judge(problem: Problem, grader: Grader, answer: Any, rng: np.random.Generator) -> list[Outcome]:
    """The verdict on each case; an answer that raises gets 0 for that case and keeps the others."""
    reference = grader.reference.build(problem.target)
    outcomes = []
    for case in problem.cases(rng):
        expected = problem.drive(reference, case)
        try:
            arrays = problem.drive(answer, case)
        except NotImplementedError:
            verdict = Verdict(0.0, f"{problem.target} is not written yet.")
        except Exception as error:
            verdict = Verdict(0.0, f"{problem.target} raised {type(error).__name__}: {error}")
        else:
            verdict = grader.judge(case, arrays, expected)
            if verdict.score < 1:
                verdict = _explained(problem, grader, case, arrays, verdict)
        outcomes.append(Outcome(case, verdict))
    return outcomes


def _explained(problem: Problem, grader: Grader, case: Case, arrays: Arrays, verdict: Verdict) -> Verdict:
    """The verdict with the hint of the first known mistake that gives the same arrays."""
    for wrong in grader.wrong.values():
        if not wrong.hint:
            continue
        try:
            same = close(arrays, problem.drive(wrong.build(problem.target), case)).score == 1
        except Exception:
            continue
        if same:
            return Verdict(verdict.score, f"{verdict.message} {wrong.hint}")
    return verdict


def _short(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=4, threshold=6, edgeitems=3, max_line_width=200).replace(
            "\n", ""
        )
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
