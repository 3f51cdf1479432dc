"""How AdaGrad's running form is judged."""

from __future__ import annotations

import inspect

import numpy as np
import torch

from mlsys.optim.rules import adagrad
from mlsys.problems.coerce import short
from mlsys.problems.judging import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers
from mlsys.problems.ps1.streams import FIRST


def reference(r, w, g, eta, delta):
    r = r + g**2
    return r, w - eta / np.sqrt(r + delta**2) * g


def loops(r, w, g, eta, delta):
    r, w = list(r), list(w)
    for j in range(len(w)):
        r[j] += g[j] ** 2
        w[j] -= eta * g[j] / (r[j] + delta**2) ** 0.5
    return r, w


def in_torch(r, w, g, eta, delta):
    r, w, g = (torch.as_tensor(a) for a in (r, w, g))
    r = r + g.square()
    return r, w - eta * g * torch.rsqrt(r + delta**2)


def in_float32(r, w, g, eta, delta):
    r, w, g = (torch.tensor(a, dtype=torch.float32) for a in (r, w, g))
    r += g * g
    return torch.stack([r, w - eta * g / torch.sqrt(r + delta**2)])


def in_place(r, w, g, eta, delta):
    r += g * g
    w -= eta * g / np.hypot(np.sqrt(r), delta)
    return [r, w]


def outside_the_root(r, w, g, eta, delta):
    """That is what delta added outside the root gives: here it goes inside, as sqrt(r + delta**2)."""
    r = r + g**2
    return r, w - eta * g / (np.sqrt(r) + delta)


def delta_not_squared(r, w, g, eta, delta):
    """Under the root it is delta squared: delta has the unit of g, and r that of g squared."""
    r = r + g**2
    return r, w - eta * g / np.sqrt(r + delta)


def before_the_sum(r, w, g, eta, delta):
    """This step uses r from before this gradient was added."""
    return r + g**2, w - eta * g / np.sqrt(r + delta**2)


def no_root(r, w, g, eta, delta):
    """The rate is divided by the root of the sum, not by the sum."""
    r = r + g**2
    return r, w - eta * g / (r + delta**2)


def one_sum_for_all(r, w, g, eta, delta):
    """Each coordinate has a sum of its own."""
    r = r + g @ g
    return r, w - eta * g / np.sqrt(r + delta**2)


def forgets(r, w, g, eta, delta):
    """AdaGrad's sum forgets nothing; a moving average is RMSProp."""
    r = 0.9 * r + 0.1 * g**2
    return r, w - eta * g / np.sqrt(r + delta**2)


def uphill(r, w, g, eta, delta):
    """This climbs: a gradient points to where f grows, so it is subtracted."""
    r = r + g**2
    return r, w + eta * g / np.sqrt(r + delta**2)


def swapped(r, w, g, eta, delta):
    """The order is (r, w): first the sum, then the weights."""
    r = r + g**2
    return w - eta * g / np.sqrt(r + delta**2), r


PASTE = f"""
xp = np

{inspect.getsource(adagrad.body)}

def adagrad_step(r, w, g, eta, delta):
    w, r = body(w, g, r, eta, delta)
    return r, w
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """Both traces, to rounding."""
    verdict = close(arrays, expected)
    sums_agree = close({"r": arrays["r"]}, {"r": expected["r"]}).score == 1 if "r" in expected else True
    if verdict.score == 1 or case.title != FIRST or not sums_agree:
        return verdict
    (stream,), eta = case.given["streams"], case.given["eta"]
    want, got = (short(found["w"][0] - stream.w) for found in (expected, arrays))
    return Verdict(
        0.0,
        f"After the first step both weights should have moved by eta = {eta:g}, against the gradient: "
        f"by {want}; they moved by {got}.",
    )


GRADER = Grader(
    reference=Answer(reference),
    right=answers(loops, in_torch, in_float32, in_place),
    wrong=answers(
        outside_the_root,
        delta_not_squared,
        before_the_sum,
        no_root,
        one_sum_for_all,
        forgets,
        uphill,
        swapped,
        paste=PASTE,
    ),
    judge=judge,
)
