"""How AdaGrad over the stored history is judged."""

from __future__ import annotations

import inspect

import numpy as np
import torch

from mlsys.optim.rules import adagrad
from mlsys.problems.coerce import short
from mlsys.problems.judging import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers
from mlsys.problems.ps1.streams import FIRST


def reference(history, eta, delta):
    total = np.sum(np.square(history), axis=0)
    return -eta * history[-1] / np.sqrt(total + delta**2)


def loops(history, eta, delta):
    move = []
    for j in range(len(history[-1])):
        total = 0.0
        for g in history:
            total += g[j] ** 2
        move.append(-eta * history[-1][j] / (total + delta**2) ** 0.5)
    return move


def in_torch(history, eta, delta):
    G = torch.stack([torch.as_tensor(g) for g in history])
    return -eta * G[-1] / torch.sqrt((G**2).sum(0) + delta**2)


def in_float32(history, eta, delta):
    G = np.stack(history).astype(np.float32)
    return -np.float32(eta) * G[-1] / np.sqrt(np.einsum("tj,tj->j", G, G) + np.float32(delta) ** 2)


def norm_with_delta(history, eta, delta):
    rows = [*history, np.full_like(history[0], delta)]
    return -eta * history[-1] / np.linalg.norm(rows, axis=0)


def uphill(history, eta, delta):
    """The move is added to w, so it must point against the gradient: it needs a minus sign."""
    return eta * history[-1] / np.sqrt(np.sum(np.square(history), axis=0) + delta**2)


def without_the_last(history, eta, delta):
    """The sum runs over all gradients so far, the last one too."""
    return -eta * history[-1] / np.sqrt(sum((g**2 for g in history[:-1]), 0 * history[0]) + delta**2)


def square_of_the_sum(history, eta, delta):
    """Square each gradient first and add then: in the square of a sum, gradients of opposite sign cancel."""
    return -eta * history[-1] / np.sqrt(np.sum(history, axis=0) ** 2 + delta**2)


def mean(history, eta, delta):
    """AdaGrad divides by the root of the sum of squares, not of their mean: its steps shrink with time."""
    return -eta * history[-1] / np.sqrt(np.mean(np.square(history), axis=0) + delta**2)


def over_coordinates(history, eta, delta):
    """Sum over time, for each coordinate apart: axis 0 of the stacked gradients is time."""
    return -eta * history[-1] / np.sqrt(np.sum(np.square(history)) + delta**2)


def all_gradients_move(history, eta, delta):
    """Only the last gradient moves w, the others just set its rate."""
    return -eta * np.sum(history, axis=0) / np.sqrt(np.sum(np.square(history), axis=0) + delta**2)


def newest_first(history, eta, delta):
    """history[0] is the oldest gradient; this step's is history[-1]."""
    return -eta * history[0] / np.sqrt(np.sum(np.square(history), axis=0) + delta**2)


def outside_the_root(history, eta, delta):
    """That is what delta added outside the root gives: here delta**2 goes inside."""
    return -eta * history[-1] / (np.sqrt(np.sum(np.square(history), axis=0)) + delta)


PASTE = f"""
xp = np

{inspect.getsource(adagrad.body)}

def adagrad_move(history, eta, delta):
    w, G = np.zeros_like(history[0]), np.zeros_like(history[0])
    for g in history:
        before = w
        w, G = body(w, g, G, eta, delta)
    return w - before
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The move at each step, to rounding."""
    verdict = close(arrays, expected)
    if verdict.score == 1 or case.title != FIRST:
        return verdict
    want, got = (short(found["the move"][0]) for found in (expected, arrays))
    return Verdict(
        0.0,
        f"The first move should be eta = {case.given['eta']:g} in size, against the gradient, whatever the "
        f"gradient's size: {want}; it is {got}.",
    )


GRADER = Grader(
    reference=Answer(reference),
    right=answers(loops, in_torch, in_float32, norm_with_delta),
    wrong=answers(
        uphill,
        without_the_last,
        square_of_the_sum,
        mean,
        over_coordinates,
        all_gradients_move,
        newest_first,
        outside_the_root,
        paste=PASTE,
    ),
    judge=judge,
)
