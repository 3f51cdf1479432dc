"""How AdaDelta's generator is judged."""

from __future__ import annotations

import inspect

import numpy as np
import torch

from mlsys.optim.rules import adadelta as rule
from mlsys.problems.coerce import short
from mlsys.problems.judging import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers
from mlsys.problems.ps1.streams import FIRST


def reference(gradient, w, rho, a, b):
    r, s = np.zeros_like(w), np.zeros_like(w)
    while True:
        g = gradient(w)
        r = rho * r + (1 - rho) * g**2
        move = np.sqrt(s + a**2) / np.sqrt(r + b**2) * g
        s = rho * s + (1 - rho) * move**2
        w = w - move
        yield w


def loops(gradient, w, rho, a, b):
    d = len(w)
    w, r, s = list(w), [0] * d, [0] * d
    while True:
        g = gradient(w)
        for j in range(d):
            r[j] = rho * r[j] + (1 - rho) * g[j] ** 2
            move = ((s[j] + a * a) / (r[j] + b * b)) ** 0.5 * g[j]
            s[j] = rho * s[j] + (1 - rho) * move**2
            w[j] -= move
        yield w


def in_torch(gradient, w, rho, a, b):
    w = torch.as_tensor(w)
    r, s = torch.zeros_like(w), torch.zeros_like(w)
    while True:
        g = torch.as_tensor(gradient(w))
        r.mul_(rho).addcmul_(g, g, value=1 - rho)
        move = (s + a**2).sqrt() * (r + b**2).rsqrt() * g
        s.mul_(rho).addcmul_(move, move, value=1 - rho)
        w = w - move
        yield w


def in_float32(gradient, w, rho, a, b):
    w = w.astype(np.float32)
    state = np.zeros((2, len(w)), dtype=np.float32)
    while True:
        g = gradient(w).astype(np.float32)
        state[0] += np.float32(1 - rho) * (g * g - state[0])
        move = g * np.sqrt((state[1] + np.float32(a * a)) / (state[0] + np.float32(b * b)))
        state[1] += np.float32(1 - rho) * (move * move - state[1])
        w -= move
        yield w.copy()


def start_first(gradient, w, rho, a, b):
    """The first point to yield is the one after the first step, not the start."""
    r, s = np.zeros_like(w), np.zeros_like(w)
    while True:
        yield w
        g = gradient(w)
        r = rho * r + (1 - rho) * g**2
        move = np.sqrt(s + a**2) / np.sqrt(r + b**2) * g
        s = rho * s + (1 - rho) * move**2
        w = w - move


def average_of_gradients(gradient, w, rho, a, b):
    """s averages the squares of the moves, not of the gradients."""
    r, s = np.zeros_like(w), np.zeros_like(w)
    while True:
        g = gradient(w)
        r = rho * r + (1 - rho) * g**2
        move = np.sqrt(s + a**2) / np.sqrt(r + b**2) * g
        s = rho * s + (1 - rho) * g**2
        w = w - move
        yield w


def no_roots(gradient, w, rho, a, b):
    """The ratio is one of root mean squares: without the roots its unit is wrong."""
    r, s = np.zeros_like(w), np.zeros_like(w)
    while True:
        g = gradient(w)
        r = rho * r + (1 - rho) * g**2
        move = (s + a**2) / (r + b**2) * g
        s = rho * s + (1 - rho) * move**2
        w = w - move
        yield w


def not_squared(gradient, w, rho, a, b):
    """Under the roots stand a**2 and b**2: a has the unit of w, b that of g."""
    r, s = np.zeros_like(w), np.zeros_like(w)
    while True:
        g = gradient(w)
        r = rho * r + (1 - rho) * g**2
        move = np.sqrt(s + a) / np.sqrt(r + b) * g
        s = rho * s + (1 - rho) * move**2
        w = w - move
        yield w


def exchanged(gradient, w, rho, a, b):
    """a goes with the moves, in the upper root; b with the gradients, in the lower one."""
    r, s = np.zeros_like(w), np.zeros_like(w)
    while True:
        g = gradient(w)
        r = rho * r + (1 - rho) * g**2
        move = np.sqrt(s + b**2) / np.sqrt(r + a**2) * g
        s = rho * s + (1 - rho) * move**2
        w = w - move
        yield w


def sums(gradient, w, rho, a, b):
    """Both are moving averages: the new square comes in with the weight 1 - rho."""
    r, s = np.zeros_like(w), np.zeros_like(w)
    while True:
        g = gradient(w)
        r = rho * r + g**2
        move = np.sqrt(s + a**2) / np.sqrt(r + b**2) * g
        s = rho * s + move**2
        w = w - move
        yield w


def never_updates_s(gradient, w, rho, a, b):
    """s must take in each move after it is made; this one stays at 0, so the steps never grow."""
    r, s = np.zeros_like(w), np.zeros_like(w)
    while True:
        g = gradient(w)
        r = rho * r + (1 - rho) * g**2
        move = np.sqrt(s + a**2) / np.sqrt(r + b**2) * g
        w = w - move
        yield w


def before_the_average(gradient, w, rho, a, b):
    """r takes in this gradient before it is used, s takes in this move after: here r is used too early."""
    r, s = np.zeros_like(w), np.zeros_like(w)
    while True:
        g = gradient(w)
        move = np.sqrt(s + a**2) / np.sqrt(r + b**2) * g
        r = rho * r + (1 - rho) * g**2
        s = rho * s + (1 - rho) * move**2
        w = w - move
        yield w


def uphill(gradient, w, rho, a, b):
    """This climbs: a gradient points to where f grows, so the move is subtracted."""
    r, s = np.zeros_like(w), np.zeros_like(w)
    while True:
        g = gradient(w)
        r = rho * r + (1 - rho) * g**2
        move = np.sqrt(s + a**2) / np.sqrt(r + b**2) * g
        s = rho * s + (1 - rho) * move**2
        w = w + move
        yield w


PASTE = f"""
xp = np

{inspect.getsource(rule.body)}

def adadelta(gradient, w, rho, a, b):
    r = s = np.zeros_like(w)
    while True:
        w, r, s = body(w, gradient(w), r, s, 1.0, rho, 1 - rho, a**2)
        yield w
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The prefix of each path, to rounding."""
    verdict = close(arrays, expected)
    if verdict.score == 1 or case.title != FIRST:
        return verdict
    (bowl,), a, rho = case.given["bowls"], case.given["a"], case.given["rho"]
    want, got = (short(found["w"][0] - bowl["w"]) for found in (expected, arrays))
    return Verdict(
        0.0,
        f"With so small a b, the first step should move every weight by a / sqrt(1 - rho) = "
        f"{a / np.sqrt(1 - rho):g}, against the gradient, by {want}; they moved by {got}.",
    )


GRADER = Grader(
    reference=Answer(reference),
    right=answers(loops, in_torch, in_float32),
    wrong=answers(
        start_first,
        average_of_gradients,
        no_roots,
        not_squared,
        exchanged,
        sums,
        never_updates_s,
        before_the_average,
        uphill,
        paste=PASTE,
    ),
    judge=judge,
)
