"""From an answer to a verdict a case: drive it, compare it, and name the mistake where it is a known one."""

from __future__ import annotations

import textwrap
import traceback
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mlsys.problems.coerce import Unfit, short
from mlsys.problems.problem import Arrays, Case, Grader, Problem, Verdict

UNWRITTEN = "is not written yet."
STUB = "your code here"  # what a released notebook raises until the student writes something
PACKAGE = str(Path(__file__).resolve().parents[1])


class Outcome(NamedTuple):
    """A case with what the judge said of it."""

    case: Case
    verdict: Verdict


def close(
    arrays: Arrays, expected: Arrays, rtol: float = 1e-5, atol: float = 1e-6, row: str = "after step"
) -> Verdict:
    """Full score if every expected array is there, finite, of the right shape, and equal within rounding.

    The first axis counts steps, or what `row` says. A number may differ from the expected one by rtol times it, or
    by atol times the largest that it is at any step: float32 passes, and so does any order of summation.
    """
    for name, want in expected.items():
        got = arrays.get(name)
        if got is None:
            return Verdict(0.0, f"{name} is missing.")
        if got.shape != want.shape:
            return Verdict(0.0, f"{name} should have shape {want.shape}; it has shape {got.shape}.")
        off = _off(got, want, rtol, atol)
        if off.any():
            return Verdict(0.0, _difference(name, got, want, off, row))
    return Verdict(1.0)


def _off(got: np.ndarray, want: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    """Where the two differ by more than rounding; nan equals nan."""
    with np.errstate(all="ignore"):
        size = np.where(np.isfinite(want), np.abs(want), 0.0)
        largest = size.max(axis=0, initial=0.0) if size.ndim else size
        near = np.abs(got - want) <= np.where(np.isfinite(want), rtol * size + atol * largest, 0.0)
    return ~(near | (got == want) | (np.isnan(got) & np.isnan(want)))


def _difference(name: str, got: np.ndarray, want: np.ndarray, off: np.ndarray, row: str) -> str:
    """What is expected and what came, at the first step where they differ."""
    if got.ndim and len(got) > 1:
        t = int(np.argmax(off.reshape(len(off), -1).any(axis=1)))
        name += f" {row} {t + 1}" + (", the first that differs," if t else "")
        got, want, off = got[t], want[t], off[t]
    elif got.ndim:
        got, want, off = got[0], want[0], off[0]
    text = f"{name} should be {short(want)}; it is {short(got)}."
    gap, size = np.abs(got - want)[off], np.abs(want)[off]
    if (gap < 1e-3 * size).all():
        text += f" They differ by at most {gap.max():.1e}: is something rounded, or kept in few digits?"
    return text


def score(outcomes: list[Outcome], points: float) -> float:
    """The points earned: each case's weight counts, and only a perfect answer rounds to full."""
    total = sum(o.case.weight for o in outcomes)
    share = sum(o.case.weight * o.verdict.score for o in outcomes) / total
    return points if share == 1 else min(round(points * share, 2), round(points - 0.01, 2))


def judge(
    problem: Problem, grader: Grader, answer: Any, rng: np.random.Generator, explain: bool = True
) -> list[Outcome]:
    """The verdict on each case; an answer that raises gets 0 for that case and keeps the others.

    explain : whether to try the known mistakes on the cases that failed, and to add the hint of one that agrees
    """
    reference = grader.reference.build(problem.target)
    cases = problem.cases(rng)
    verdicts: list[Verdict] = []
    failed: dict[int, Arrays] = {}
    for i, case in enumerate(cases):
        expected = problem.drive(reference, grader.serve(case))
        arrays, failure = attempt(problem, answer, grader.serve(case))
        if arrays is None:
            said = failure in (v.message for v in verdicts)
            verdicts.append(Verdict(0.0, "" if said else failure))
            continue
        verdicts.append(grader.judge(case, arrays, expected))
        if verdicts[i].score < 1:
            failed[i] = arrays
    for i, hint in _hints(problem, grader, cases, failed).items() if explain else ():
        verdicts[i] = Verdict(verdicts[i].score, f"{verdicts[i].message} {hint}".strip())
    first = next((i for i, verdict in enumerate(verdicts) if verdict.score < 1), None)
    if explain and problem.replay and first is not None and not verdicts[first].message.endswith(UNWRITTEN):
        code = textwrap.indent(problem.replay(cases[first]), " " * 10)
        text = (
            f"{verdicts[first].message}\n      To see this case by itself, run in a cell of its own:\n{code}"
        )
        verdicts[first] = Verdict(verdicts[first].score, text)
    return [Outcome(case, verdict) for case, verdict in zip(cases, verdicts, strict=True)]


def attempt(problem: Problem, answer: Any, case: Case) -> tuple[Arrays | None, str]:
    """What the answer gives on a case; or None, and a sentence that says why not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is printed on stderr would cost the whole cell in nbgrader
        try:
            return problem.drive(answer, case), ""
        except Unfit as unfit:
            return None, str(unfit)
        except NotImplementedError as error:
            if str(error) in ("", STUB):
                return None, f"{problem.target} {UNWRITTEN}"
            return None, _raised(problem.target, error)
        except Exception as error:
            return None, _raised(problem.target, error)


def _raised(target: str, error: Exception) -> str:
    """The error with the student's line that raised it, and help with the commonest one."""
    text = f"{target} raised {type(error).__name__}: {error}"
    theirs = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(PACKAGE) and "site-packages" not in frame.filename
    ]
    if theirs:
        text += f" (line {theirs[-1].lineno} of its cell{': ' + theirs[-1].line if theirs[-1].line else ''})"
    if isinstance(error, TypeError) and "Tensor" in str(error):
        text += " The arguments are NumPy arrays: torch.as_tensor(x) makes a tensor of one."
    return text


def _hints(problem: Problem, grader: Grader, cases: list[Case], failed: dict[int, Arrays]) -> dict[int, str]:
    """By failed case, the hint of a known mistake that gives the same arrays there; each hint once.

    Where several mistakes agree on a case, the one that agrees on most cases is named.
    """
    if not failed:
        return {}
    agrees: dict[str, set[int]] = {}
    for wrong in grader.wrong.values():
        if wrong.hint:
            built = wrong.build(problem.target)
            agrees[wrong.hint] = {
                i for i, arrays in failed.items() if _same(problem, grader, built, cases[i], arrays)
            }
    ranked = sorted(agrees, key=lambda hint: -len(agrees[hint]))
    hints: dict[int, str] = {}
    for i in failed:
        hint = next((h for h in ranked if i in agrees[h]), "")
        if hint and hint not in hints.values():
            hints[i] = hint
    return hints


def _same(problem: Problem, grader: Grader, wrong: Any, case: Case, arrays: Arrays) -> bool:
    """Whether the known mistake gives these arrays on this case."""
    mistaken, _ = attempt(problem, wrong, grader.serve(case))
    return mistaken is not None and close(arrays, mistaken).score == 1
