"""How the backtracking search is judged."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from mlsys.optim.line_search import Backtracking
from mlsys.problems.coerce import short
from mlsys.problems.compare import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps1.backtracking_search import value

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def backtrack(f, w, g, first, shrink, c, limit):
    here, step, evaluations = f(w), first, 1
    while evaluations < limit:
        evaluations += 1
        if f(w - step * g) <= here - c * step * (g @ g):
            return step, evaluations
        step *= shrink
    return 0.0, evaluations


def loops(f, w, g, first, shrink, c, limit):
    squared = 0.0
    for x in g:
        squared += x * x
    f_old = f(list(w))
    for trial in range(limit - 1):
        step = first * shrink**trial
        if f([w[j] - step * g[j] for j in range(len(w))]) - f_old <= -c * step * squared:
            return step, trial + 2
    return 0, limit


def in_torch(f, w, g, first, shrink, c, limit):
    w, g = torch.as_tensor(w), torch.as_tensor(g)
    here, step = f(w), torch.tensor(first, dtype=torch.float64)
    for used in range(2, limit + 1):
        if f(w - step * g) <= here - c * step * g.dot(g):
            return step, torch.tensor(used)
        step = step * shrink
    return torch.zeros(()), limit


def recursive(f, w, g, first, shrink, c, limit):
    slope = c * np.linalg.norm(g) ** 2

    def search(step, here, used):
        if used == limit:
            return 0.0, used
        if here - f(w - step * g) >= step * slope:
            return step, used + 1
        return search(step * shrink, here, used + 1)

    return search(first, f(w), 1)


def in_float32(f, w, g, first, shrink, c, limit):
    w, g = w.astype(np.float32), g.astype(np.float32)
    here, squared = f(w), float(np.dot(g, g))
    for used in range(2, limit + 1):
        step = first * shrink ** (used - 2)
        if f(w - np.float32(step) * g) <= here - c * step * squared:
            return step, used
    return np.float32(0), limit


START, TEST = "here, step, evaluations = f(w), first, 1", "if f(w - step * g) <= here - c * step * (g @ g):"
LOOP, COUNT, SHRINK = "while evaluations < limit:", "evaluations += 1", "        step *= shrink\n"

WRONG = edits(
    backtrack,
    any_decrease=(
        "This accepts any decrease. Armijo asks for a share c of what the slope promises: c * step * |g|**2.",
        "here - c * step * (g @ g)",
        "here",
    ),
    increases=(
        "With a plus sign before c, this accepts increases: the term is what f must fall by.",
        "here - c",
        "here + c",
    ),
    without_c=("c is left out: a share c of what the slope promises is enough.", "c * step", "step"),
    squared_again=("This squares the norm of g twice: |g|**2 is g @ g itself.", "(g @ g)", "(g @ g) ** 2"),
    norm_not_squared=(
        "The slope along -g is minus the *squared* norm of g.",
        "(g @ g)",
        "np.linalg.norm(g)",
    ),
    step_left_out=(
        "The decrease that is asked for shrinks with the step: c * step * |g|**2, not c * |g|**2.",
        "c * step * (g",
        "c * (g",
    ),
    strictly_less=("A decrease of just what is asked for is accepted: the condition has <=.", "<=", "<"),
    start_each_time=(
        "f(w) does not change during the search: evaluate it once and keep it.",
        "<= here",
        "<= f(w)",
    ),
    trials_only=(
        "f(w) itself is an evaluation too, and counts.",
        "first, 1",
        "first, 0",
        "< limit",
        "< limit - 1",
    ),
    one_too_many=("", "< limit", "<= limit"),
    limit_trials=("", "< limit", "<= limit", "0.0, evaluations", "0.0, limit"),
    one_too_few=(
        "",
        "< limit",
        "< limit - 1",
        "0.0, evaluations",
        "0.0, limit",
    ),
    last_tried=(
        "When the limit is reached with no step accepted, return a step of 0, not the last one tried or the next.",
        "0.0, evaluations",
        "step, evaluations",
    ),
    shrinks_before_return=(
        "Return the step that was accepted: this one has been shrunk once more after it.",
        "return step,",
        "return step * shrink,",
    ),
    shrinks_before_trial=(
        "The first trial is made with `first` itself: shrink the step after a trial that is rejected, not before one.",
        SHRINK,
        "",
        COUNT,
        "evaluations, step = evaluations + 1, step * shrink",
    ),
    never_shrinks=("The step is never made shorter: the same trial is repeated.", SHRINK, ""),
    walks=(
        "Every trial starts from w: this one starts where the last, rejected trial ended.",
        START,
        START + "; squared = g @ g",
        TEST,
        "w = w - step * g\n        if f(w) <= here - c * step * squared:",
    ),
    spoils_g=(
        "g changes from trial to trial: `g *= step` and `g.mul_(step)` change g itself, and no copy of it.",
        START,
        START + "; squared = g @ g",
        TEST,
        "g = step * g\n        if f(w - g) <= here - c * step * squared:",
    ),
    uphill=(
        "The trials go along +g: a gradient points to where f grows, so it is subtracted.",
        "w - step",
        "w + step",
    ),
    without_end=(
        "A direction may lead uphill, and then no step is accepted: stop at the limit.",
        LOOP,
        "while True:",
    ),
)

PASTE = f"""
def positive(**named):
    return next(iter(named.values()))

fraction = whole = positive

class Ray:
    def __init__(self, f, w, g):
        self.function, self.w, self.g, self.seen = f, w, g, dict()
        self.square, self.t = float(g @ g), 1

    def value(self, alpha):
        if alpha not in self.seen:
            self.seen[alpha] = self.function(self.w - alpha * self.g)
        return self.seen[alpha]

    @property
    def f(self):
        return self.value(0.0)

def _refuse(ray, alpha, why):
    return ArithmeticError(why)

{inspect.getsource(Backtracking)}

def backtrack(f, w, g, first, shrink, c, limit):
    ray = Ray(f, w, g)
    step, _ = Backtracking(c, shrink, first, budget=limit).length(ray, None)
    return step, len(ray.seen)
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The step, and what it cost as reported and as counted."""
    calls, fair = len(arrays["points"]), len(expected["points"])
    step, told = close({"step": arrays["step"]}, {"step": expected["step"]}), float(arrays["evaluations"])
    if step.score == 1 and told == calls == fair:
        return step
    said = _trials(case.given, arrays, expected)
    if not said and step.score == 1 and calls == fair:
        said = f"The step is right and f was called {calls} times, but you report {told:g}."
    elif not said and step.score == 1:
        few = f"{fair} are {'needed' if calls < fair else 'enough'}: f(w) once, and once a trial."
        said = f"The step is right, but f was called {calls} times where {few}"
    return Verdict(0.0, said or step.message)


def _trials(given: dict[str, Any], arrays: Arrays, expected: Arrays) -> str:
    """Where the trials, the points asked for that are not w, first leave the right ones; empty if they do not."""
    steps = [given["first"] * given["shrink"] ** k for k in range(len(expected["points"]) - 1)]
    near = 0.01 * steps[-1] * np.abs(given["g"]).max()
    mine, theirs = (
        [p for p in found["points"] if np.abs(p - given["w"]).max() > near] for found in (arrays, expected)
    )
    for k, (got, want) in enumerate(zip(mine, theirs, strict=False)):
        if not np.allclose(got, want, rtol=1e-4, atol=1e-4 * np.abs(want).max()):
            made = "first" + f" * shrink**{k}" * (k > 1) + " * shrink" * (k == 1)
            return (
                f"Trial {k + 1} should be at w - step * g with step = {made} = {steps[k]:.6g}, which is {short(want)}; "
                f"f was called at {short(got)}."
            )
    limit, found = given["limit"], float(expected["step"]) > 0
    if len(mine) > len(theirs):
        if found:
            return f"Trial {len(theirs)} should be accepted: {_armijo(given, steps[-1])}."
        return f"There were {len(mine)} trials. limit = {limit} counts f(w) too, so {limit - 1} are allowed."
    if len(mine) < len(theirs):
        if not mine or float(arrays["step"]) == 0:
            return f"There were {len(mine)} trials, and {len(theirs)} are needed. limit = {limit} allows {limit - 1}."
        return f"Trial {len(mine)} should be rejected: {_armijo(given, steps[len(mine) - 1])}."
    return ""


def _armijo(given: dict[str, Any], step: float) -> str:
    """Both sides of the condition, in numbers."""
    w, g = given["w"], given["g"]
    most = value(given, w) - given["c"] * step * (g @ g)
    return f"with step = {step:.6g}, f is {value(given, w - step * g):.6g}, and may be {most:.6g} at most"


def idle(f, w, g, first, shrink, c, limit):
    return 0.0, limit


def first_blindly(f, w, g, first, shrink, c, limit):
    f(w), f(w - first * g)
    return first, 2


GRADER = Grader(
    reference=Answer(backtrack),
    right=answers(loops, in_torch, recursive, in_float32),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(idle, first_blindly),
    judge=judge,
)
