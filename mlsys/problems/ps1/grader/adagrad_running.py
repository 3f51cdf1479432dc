"""How AdaGrad's running form is judged."""

from __future__ import annotations

import inspect

import numpy as np
import torch

from mlsys.optim.rules import adagrad
from mlsys.problems.judging import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers


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
    r, w, g = (torch.as_tensor(a, dtype=torch.float64) for a in (r, w, g))
    r = r + g.square()
    return r, w - eta * g * torch.rsqrt(r + delta**2)


def outside_the_root(r, w, g, eta, delta):
    """That is what delta added outside the root gives: here it goes inside, as sqrt(r + delta**2)."""
    r = r + g**2
    return r, w - eta * g / (np.sqrt(r) + delta)


def before_the_sum(r, w, g, eta, delta):
    """This step uses r from before this gradient was added."""
    return r + g**2, w - eta * g / np.sqrt(r + delta**2)


def no_root(r, w, g, eta, delta):
    """The rate is divided by the root of the sum, not by the sum."""
    r = r + g**2
    return r, w - eta * g / (r + delta**2)


def one_norm_for_all(r, w, g, eta, delta):
    """Each coordinate has a sum of its own."""
    r = r + g @ g
    return r, w - eta * g / np.sqrt(r + delta**2)


def forgets(r, w, g, eta, delta):
    """AdaGrad's sum forgets nothing; a moving average is RMSProp."""
    r = 0.9 * r + 0.1 * g**2
    return r, w - eta * g / np.sqrt(r + delta**2)


PASTE = f"""
xp = np

{inspect.getsource(adagrad.body)}

def adagrad_step(r, w, g, eta, delta):
    w, r = body(w, g, r, eta, delta)
    return r, w
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """Both traces, to rounding."""
    return close(arrays, expected)


GRADER = Grader(
    reference=Answer(reference),
    right=answers(loops, in_torch),
    wrong=answers(outside_the_root, before_the_sum, no_root, one_norm_for_all, forgets, paste=PASTE),
    judge=judge,
)
