"""How the count of memory and traffic is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlsys.problems.compare import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def optimizer_cost(method, n, itemsize, t):
    weights, vector = n * itemsize, 4 * n
    if method == "history":
        return t * vector, 2 * weights + (t - 1) * vector, weights + vector
    kept = {"sgd": 0, "momentum": 1, "adagrad": 1, "rmsprop": 1, "adadelta": 2, "adam": 2}[method]
    state = kept * vector
    return state, 2 * weights + state, weights + state


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


FLOAT32 = "State is kept in float32, 4 bytes a number, whatever the weights' itemsize: rule 1."
HISTORY = "return t * vector, 2 * weights + (t - 1) * vector, weights + vector"

WRONG = edits(
    optimizer_cost,
    state_like_weights=(FLOAT32, "4 * n", "n * itemsize"),
    averages_like_weights=(FLOAT32, "kept * vector", "kept * weights"),
    history_like_weights=(FLOAT32, HISTORY, "return t * weights, (t + 1) * weights, 2 * weights"),
    gradient_written=(
        "The step reads the gradient and does not write it: backward wrote it before.",
        ", weights + vector",
        ", 2 * weights + vector",
        ", weights + state",
        ", 2 * weights + state",
    ),
    weights_not_read=(
        "w changes by a step, so its old value is read as well as the gradient.",
        "2 * weights + (t",
        "weights + (t",
        "2 * weights + state",
        "weights + state",
    ),
    one_average=(
        "Adam and AdaDelta keep two vectors each: Adam a momentum and an average of squares, AdaDelta an average of "
        "squared gradients and one of squared moves.",
        '"adadelta": 2, "adam": 2',
        '"adadelta": 1, "adam": 1',
    ),
    weights_as_state=(
        "State is what the optimiser keeps besides w and g.",
        "return t * vector",
        "return 2 * weights + t * vector",
        "return state",
        "return 2 * weights + state",
    ),
    numbers_not_bytes=("These are counts of numbers; the answer is in bytes.", "n * itemsize, 4 * n", "n, n"),
    state_in_numbers=("A vector of state holds n numbers of 4 bytes: 4 * n bytes, not n.", "4 * n", "n"),
    first_reads_nothing=(
        "A vector of state is there from the start, as zeros, so the first step reads it too: rule 3.",
        "2 * weights + state",
        "2 * weights + (state if t > 1 else 0)",
    ),
    history_before_the_step=(
        "State is counted after the step: by then this step's gradient is in the history too.",
        "return t * vector",
        "return (t - 1) * vector",
    ),
    append_not_written=(
        "Appending this step's gradient to the history writes one vector of float32.",
        "weights + vector",
        "weights",
    ),
    history_rewritten=(
        "A step appends one gradient to the history; those already there stay where they are.",
        "weights + vector",
        "weights + t * vector",
    ),
    own_gradient_read_back=(
        "This step's gradient has just been read as g: only the t - 1 earlier ones are read from the history.",
        "(t - 1) * vector",
        "t * vector",
    ),
)

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


def idle(method, n, itemsize, t):
    return 0, 0, 0


def always_sgd(method, n, itemsize, t):
    return 0, 2 * n * itemsize, n * itemsize


GRADER = Grader(
    reference=Answer(optimizer_cost),
    right=answers(by_cases, measured, as_floats),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(idle, always_sgd),
    judge=judge,
)
