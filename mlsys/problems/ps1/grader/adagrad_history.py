"""How AdaGrad over the stored history is judged."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim.rules import adagrad
from mlsys.problems.coerce import short
from mlsys.problems.compare import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps1.streams import FIRST

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def adagrad_move(history, eta, delta):
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


ROOT, TOTAL = "np.sqrt(total + delta**2)", "np.sum(np.square(history), axis=0)"

WRONG = edits(
    adagrad_move,
    uphill=(
        "The move is added to w, so it must point against the gradient: it needs a minus sign.",
        "-eta",
        "eta",
    ),
    without_the_last=(
        "The sum runs over all gradients so far, the last one too.",
        TOTAL,
        "sum((g**2 for g in history[:-1]), 0 * history[0])",
    ),
    square_of_the_sum=(
        "Square each gradient first and add then: in the square of a sum, gradients of opposite sign cancel.",
        TOTAL,
        "np.sum(history, axis=0) ** 2",
    ),
    mean=(
        "AdaGrad divides by the root of the sum of squares, not of their mean: its steps shrink with time.",
        "np.sum(",
        "np.mean(",
    ),
    over_coordinates=(
        "Each coordinate has a sum of its own, over the steps; this is one sum over all. (np.sum takes axis=0.)",
        ", axis=0",
        "",
    ),
    sum_runs_on=(
        "The sum of a coordinate still holds those of the coordinates before it: it starts at 0 for each.",
        TOTAL,
        f"np.cumsum({TOTAL})",
    ),
    all_gradients_move=(
        "Only the last gradient moves w, the others just set its rate.",
        "history[-1]",
        "np.sum(history, axis=0)",
    ),
    newest_first=(
        "history[0] is the oldest gradient; this step's is history[-1].",
        "history[-1]",
        "history[0]",
    ),
    all_moves=(
        "This is the sum of all moves so far: only this step's is asked for.",
        "    return -eta * history[-1] / np.sqrt(total + delta**2)",
        "    sums = np.cumsum(np.square(history), axis=0)\n"
        "    return -eta * np.sum(history / np.sqrt(sums + delta**2), axis=0)",
    ),
    no_root=("Divide by the root of the sum, not by the sum.", ROOT, "(total + delta**2)"),
    outside_the_root=(
        "That is what delta added outside the root gives: here delta**2 goes inside.",
        ROOT,
        "(np.sqrt(total) + delta)",
    ),
    delta_not_squared=(
        "Under the root it is delta squared: delta has the unit of g, and the sum that of g squared.",
        "delta**2",
        "delta",
    ),
    without_delta=("delta is left out: delta**2 is added under the root.", " + delta**2", ""),
    delta_each_time=(
        "delta**2 is added once, to the finished sum, and not with every gradient.",
        ROOT,
        "np.sqrt(total + len(history) * delta**2)",
    ),
    squared_in_place=(
        "The gradients themselves have been squared: square_() and **= change what they are called on.",
        "history[-1]",
        "np.square(history[-1])",
    ),
)

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


def idle(history, eta, delta):
    return 0 * history[-1]


def signs(history, eta, delta):
    return -eta * np.sign(history[-1])


GRADER = Grader(
    reference=Answer(adagrad_move),
    right=answers(loops, in_torch, in_float32, norm_with_delta),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(idle, signs),
    judge=judge,
)
