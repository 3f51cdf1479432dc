"""How the backtracking search is judged."""

from __future__ import annotations

import inspect

import numpy as np
import torch

from mlsys.optim.line_search import Backtracking
from mlsys.problems.judging import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers


def reference(f, w, g, first, shrink, c, limit):
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


def any_decrease(f, w, g, first, shrink, c, limit):
    """This accepts any decrease. Armijo asks for a share c of what the slope promises: c * step * |g|**2."""
    here, step, evaluations = f(w), first, 1
    while evaluations < limit:
        evaluations += 1
        if f(w - step * g) <= here:
            return step, evaluations
        step *= shrink
    return 0.0, evaluations


def norm_not_squared(f, w, g, first, shrink, c, limit):
    """The slope along -g is minus the *squared* norm of g."""
    here, step, evaluations = f(w), first, 1
    while evaluations < limit:
        evaluations += 1
        if f(w - step * g) <= here - c * step * np.linalg.norm(g):
            return step, evaluations
        step *= shrink
    return 0.0, evaluations


def step_left_out(f, w, g, first, shrink, c, limit):
    """The decrease that is asked for shrinks with the step: c * step * |g|**2, not c * |g|**2."""
    here, step, evaluations = f(w), first, 1
    while evaluations < limit:
        evaluations += 1
        if f(w - step * g) <= here - c * (g @ g):
            return step, evaluations
        step *= shrink
    return 0.0, evaluations


def start_each_time(f, w, g, first, shrink, c, limit):
    """f(w) does not change during the search: evaluate it once and keep it."""
    step, evaluations = first, 1
    while evaluations < limit:
        evaluations += 1
        if f(w - step * g) <= f(w) - c * step * (g @ g):
            return step, evaluations
        step *= shrink
    return 0.0, evaluations


def trials_only(f, w, g, first, shrink, c, limit):
    """f(w) itself is an evaluation too, and counts."""
    here, step, trials = f(w), first, 0
    while trials < limit - 1:
        trials += 1
        if f(w - step * g) <= here - c * step * (g @ g):
            return step, trials
        step *= shrink
    return 0.0, trials


def one_too_many(f, w, g, first, shrink, c, limit):
    """f(w) counts within the limit: with limit = 6 there are five trials at most."""
    here, step, evaluations = f(w), first, 1
    while evaluations <= limit:
        evaluations += 1
        if f(w - step * g) <= here - c * step * (g @ g):
            return step, evaluations
        step *= shrink
    return 0.0, evaluations


def last_tried(f, w, g, first, shrink, c, limit):
    """When the limit is reached with no step accepted, return a step of 0, not the last one tried or the next."""
    here, step, evaluations = f(w), first, 1
    while evaluations < limit:
        evaluations += 1
        if f(w - step * g) <= here - c * step * (g @ g):
            return step, evaluations
        step *= shrink
    return step, evaluations


def shrinks_before_return(f, w, g, first, shrink, c, limit):
    """Return the step that was accepted: this one has been shrunk once more after it."""
    here, step, evaluations, accepted = f(w), first, 1, False
    while evaluations < limit and not accepted:
        evaluations += 1
        accepted = f(w - step * g) <= here - c * step * (g @ g)
        step *= shrink
    return (step if accepted else 0.0), evaluations


def walks(f, w, g, first, shrink, c, limit):
    """Every trial starts from w: this one starts where the last, rejected trial ended."""
    here, step, evaluations = f(w), first, 1
    squared = g @ g
    while evaluations < limit:
        evaluations += 1
        w = w - step * g
        if f(w) <= here - c * step * squared:
            return step, evaluations
        step *= shrink
    return 0.0, evaluations


def without_end(f, w, g, first, shrink, c, limit):
    """A direction may lead uphill, and then no step is accepted: stop at the limit."""
    here, step, evaluations = f(w), first, 2
    while f(w - step * g) > here - c * step * (g @ g):
        step *= shrink
        evaluations += 1
    return step, evaluations


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
    told, calls, fair = (int(a) for a in (arrays["evaluations"], arrays["calls"], expected["calls"]))
    step = close({"step": arrays["step"]}, {"step": expected["step"]})
    if step.score < 1 or (told == calls == fair and float(arrays["evaluations"]) == told):
        return step
    if calls != fair:
        return Verdict(0.0, f"the step is right, but f was called {calls} times where {fair} are enough.")
    given = float(arrays["evaluations"])
    return Verdict(0.0, f"the step is right and f was called {calls} times, but you report {given:g}.")


GRADER = Grader(
    reference=Answer(reference),
    right=answers(loops, in_torch, recursive, in_float32),
    wrong=answers(
        any_decrease,
        norm_not_squared,
        step_left_out,
        start_each_time,
        trials_only,
        one_too_many,
        last_tried,
        shrinks_before_return,
        walks,
        without_end,
        paste=PASTE,
    ),
    judge=judge,
)
