"""How the count of memory and traffic is judged."""

from __future__ import annotations

import numpy as np
import torch

from mlsys.problems.judging import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers


def reference(method, n, itemsize, t):
    if method == "history":
        return 4 * n * t, 2 * n * itemsize + 4 * n * (t - 1), n * itemsize + 4 * n
    vectors = {"sgd": 0, "momentum": 1, "adagrad": 1, "rmsprop": 1, "adadelta": 2, "adam": 2}[method]
    state = 4 * n * vectors
    return state, 2 * n * itemsize + state, n * itemsize + state


def by_cases(method, n, itemsize, t):
    weights = n * itemsize
    vector = 4 * n
    read, written = 2 * weights, weights
    if method == "sgd":
        return 0, read, written
    if method in ("momentum", "adagrad", "rmsprop"):
        return vector, read + vector, written + vector
    if method in ("adadelta", "adam"):
        return 2 * vector, read + 2 * vector, written + 2 * vector
    if method == "history":
        return t * vector, read + (t - 1) * vector, written + vector
    raise ValueError(f"unknown method {method!r}")


def measured(method, n, itemsize, t):
    half = {2: torch.float16, 4: torch.float32, 8: torch.float64}[itemsize]
    w = torch.empty(n, dtype=half).nbytes
    slot = np.zeros(n, dtype=np.float32).nbytes
    slots = {"sgd": 0, "adadelta": 2, "adam": 2, "history": t}.get(method, 1)
    old = slots - (method == "history")
    new = 1 if method == "history" else slots
    return np.array([slots * slot, 2 * w + old * slot, w + new * slot])[:, None]


def as_floats(method, n, itemsize, t):
    kept = {"momentum": 1.0, "adagrad": 1.0, "rmsprop": 1.0, "adadelta": 2.0, "adam": 2.0}.get(method, 0.0)
    kept, old, new = (t, t - 1, 1) if method == "history" else (kept, kept, kept)
    return [4.0 * n * kept, n * (2.0 * itemsize + 4 * old), n * (1.0 * itemsize + 4 * new)]


def state_like_weights(method, n, itemsize, t):
    """The state is kept in float32, 4 bytes a number, whatever the weights' itemsize."""
    if method == "history":
        return itemsize * n * t, itemsize * n * (t + 1), 2 * n * itemsize
    vectors = {"sgd": 0, "momentum": 1, "adagrad": 1, "rmsprop": 1, "adadelta": 2, "adam": 2}[method]
    return itemsize * n * vectors, itemsize * n * (2 + vectors), itemsize * n * (1 + vectors)


def gradient_written(method, n, itemsize, t):
    """The step reads the gradient and does not write it: backward wrote it before."""
    if method == "history":
        return 4 * n * t, 2 * n * itemsize + 4 * n * (t - 1), 2 * n * itemsize + 4 * n
    vectors = {"sgd": 0, "momentum": 1, "adagrad": 1, "rmsprop": 1, "adadelta": 2, "adam": 2}[method]
    state = 4 * n * vectors
    return state, 2 * n * itemsize + state, 2 * n * itemsize + state


def weights_not_read(method, n, itemsize, t):
    """w changes by a step, so its old value is read as well as the gradient."""
    if method == "history":
        return 4 * n * t, n * itemsize + 4 * n * (t - 1), n * itemsize + 4 * n
    vectors = {"sgd": 0, "momentum": 1, "adagrad": 1, "rmsprop": 1, "adadelta": 2, "adam": 2}[method]
    state = 4 * n * vectors
    return state, n * itemsize + state, n * itemsize + state


def one_average(method, n, itemsize, t):
    """Adam and AdaDelta keep two vectors each: Adam a momentum and an average of squares, AdaDelta an average
    of squared gradients and one of squared moves."""
    if method == "history":
        return 4 * n * t, 2 * n * itemsize + 4 * n * (t - 1), n * itemsize + 4 * n
    state = 0 if method == "sgd" else 4 * n
    return state, 2 * n * itemsize + state, n * itemsize + state


def weights_as_state(method, n, itemsize, t):
    """State is what the optimiser keeps besides w and g."""
    if method == "history":
        return 4 * n * t + 2 * n * itemsize, 2 * n * itemsize + 4 * n * (t - 1), n * itemsize + 4 * n
    vectors = {"sgd": 0, "momentum": 1, "adagrad": 1, "rmsprop": 1, "adadelta": 2, "adam": 2}[method]
    state = 4 * n * vectors
    return state + 2 * n * itemsize, 2 * n * itemsize + state, n * itemsize + state


def numbers_not_bytes(method, n, itemsize, t):
    """These are counts of numbers; the answer is in bytes."""
    if method == "history":
        return n * t, n * (t + 1), 2 * n
    vectors = {"sgd": 0, "momentum": 1, "adagrad": 1, "rmsprop": 1, "adadelta": 2, "adam": 2}[method]
    return n * vectors, n * (2 + vectors), n * (1 + vectors)


def history_rewritten(method, n, itemsize, t):
    """A step appends one gradient to the history; those already there stay where they are."""
    if method == "history":
        return 4 * n * t, 2 * n * itemsize + 4 * n * (t - 1), n * itemsize + 4 * n * t
    vectors = {"sgd": 0, "momentum": 1, "adagrad": 1, "rmsprop": 1, "adadelta": 2, "adam": 2}[method]
    state = 4 * n * vectors
    return state, 2 * n * itemsize + state, n * itemsize + state


def own_gradient_read_back(method, n, itemsize, t):
    """This step's gradient has just been read as g: only the t - 1 earlier ones are read from the history."""
    if method == "history":
        return 4 * n * t, 2 * n * itemsize + 4 * n * t, n * itemsize + 4 * n
    vectors = {"sgd": 0, "momentum": 1, "adagrad": 1, "rmsprop": 1, "adadelta": 2, "adam": 2}[method]
    state = 4 * n * vectors
    return state, 2 * n * itemsize + state, n * itemsize + state


PASTE = """
from mlsys.optim.rules import adadelta, adagrad, adam, rmsprop, sgd

RULES = {
    "sgd": sgd.gradient_rule(),
    "momentum": sgd.momentum(),
    "adagrad": adagrad.adagrad(),
    "history": adagrad.adagrad(),
    "rmsprop": rmsprop.rmsprop(),
    "adadelta": adadelta.adadelta(),
    "adam": adam.adam(),
}

def optimizer_cost(method, n, itemsize, t):
    slots = len(RULES[method].fill)
    return slots * n * itemsize, (2 + slots) * n * itemsize, (1 + slots) * n * itemsize
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """All counts, exactly."""
    return close(arrays, expected, rtol=1e-9, atol=0.0)


GRADER = Grader(
    reference=Answer(reference),
    right=answers(by_cases, measured, as_floats),
    wrong=answers(
        state_like_weights,
        gradient_written,
        weights_not_read,
        one_average,
        weights_as_state,
        numbers_not_bytes,
        history_rewritten,
        own_gradient_read_back,
        paste=PASTE,
    ),
    judge=judge,
)
