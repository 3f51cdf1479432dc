"""How the sparse project is judged: by the loss on rows that nobody is given."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim.rules import adagrad
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps1.sparse_rows import BUDGET, best_scale, data, oracle, share_left

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere

# Of the loss on the other rows at w = 0. Over 180 data sets, each of the right answers below ends at 0.02 in the mean
# and at 0.042 at most: the target is 7.8 standard deviations of the logarithm away or more, so a right answer fails
# less than once in a million runs. AdaGrad reaches it with any eta from 0.2 to 5; the best single rate ends at 0.18 or
# more.
TARGET = 0.1
ONE_RATE = "(If that does not help, no one rate suits every feature.)"


def serve(case: Case) -> Case:
    """A fresh oracle, and neither the seed nor the rows."""
    return Case(case.title, {"oracle": oracle(data(case.given["seed"], case.given["d"]))})


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """Whether the target is reached, and by how much."""
    w, unused = arrays["w"][0], int(arrays["evaluations left"])
    if np.isnan(w).any():
        return Verdict(
            0.0,
            f"Your weights contain nan, {np.isnan(w).sum()} of {len(w)}: from 0/0 for a coordinate without a gradient, "
            "which a small delta in the root prevents; or from steps so long that the weights overflow.",
        )
    share = share_left(data(case.given["seed"], case.given["d"]), w)
    if not np.isfinite(share):
        return Verdict(0.0, "The loss overflows: the steps are too long for some feature.")
    text = f"On other rows of the same kind the loss is {share:.4g} times that at w = 0; the target is {TARGET:g}."
    if unused == BUDGET:
        return Verdict(0.0, f"{text} The oracle was not asked for a single gradient.")
    if share <= TARGET:
        return Verdict(1.0, text)
    if unused > BUDGET // 10:
        text += f" {unused} of {BUDGET} evaluations were not used."
    elif share > 1.001:
        text += " It grew: the steps are too long for some feature."
    elif w.any():
        text += f" {_try_next(best_scale(data(case.given['seed'], case.given['d']), w))}"
    return Verdict(0.0, text)


def _try_next(scale: float) -> str:
    """What to change, by how much all weights together are too short or too long."""
    if scale > 1.05:
        return f"The weights have not come far enough: try a rate 3 times larger. {ONE_RATE}"
    if scale < 0.95:
        return f"The weights have gone too far, or swing: try a rate 3 times smaller. {ONE_RATE}"
    return f"Try a rate 3 times larger, and one 3 times smaller. {ONE_RATE}"


def minimise(oracle):
    rng = np.random.default_rng(0)
    w, r = np.zeros(oracle.d), np.zeros(oracle.d)
    while oracle.left:
        g = oracle.gradient(w, rng.integers(oracle.n))
        r += g**2
        w -= g / np.sqrt(r + 1e-12)
    return w


def loops(oracle):
    d, n = oracle.d, oracle.n
    w, r = [0.0] * d, [0.0] * d
    for t in range(oracle.left):
        g = oracle.gradient(w, t % n).tolist()
        for j in range(d):
            if g[j]:
                r[j] += g[j] ** 2
                w[j] -= 0.7 * g[j] / r[j] ** 0.5
    return w


def in_torch(oracle):
    w = torch.zeros(oracle.d, requires_grad=True)
    optimizer = torch.optim.Adagrad([w], lr=1.5)
    order = torch.Generator().manual_seed(3)
    while oracle.left:
        rows = torch.randint(oracle.n, (3,), generator=order)
        w.grad = torch.as_tensor(oracle.gradient(w, rows), dtype=w.dtype)
        optimizer.step()
    return w


def pairs(oracle):
    rng = np.random.default_rng(5)
    w, r = np.zeros(oracle.d), np.full(oracle.d, 1e-8)
    while oracle.left >= 2:
        g = oracle.gradient(w, rng.choice(oracle.n, size=2, replace=False))
        r += g * g
        w -= 1.0 * g / np.sqrt(r)
    return w


def adam_decaying(oracle):
    rng = np.random.default_rng(1)
    w, m, v = np.zeros(oracle.d), np.zeros(oracle.d), np.zeros(oracle.d)
    total = oracle.left
    for t in range(1, total + 1):
        g = oracle.gradient(w, rng.integers(oracle.n))
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        rate = 0.03 * (1 - (t - 1) / total)
        w = w - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w


def one_rate(oracle):
    """One rate for all: short enough for the features in large units, it hardly moves the rare and small ones."""
    rng = np.random.default_rng(0)
    w = np.zeros(oracle.d)
    while oracle.left:
        w -= 0.02 * oracle.gradient(w, rng.integers(oracle.n))
    return w


def too_long(oracle):
    """A single rate that suits the rare features makes the features in large units diverge."""
    rng = np.random.default_rng(0)
    w = np.zeros(oracle.d)
    while oracle.left:
        w -= 0.1 * oracle.gradient(w, rng.integers(oracle.n))
    return w


def full_gradients(oracle):
    """A gradient over all rows costs one evaluation a row: the budget lasts for two steps."""
    w, r = np.zeros(oracle.d), np.zeros(oracle.d)
    while oracle.left >= oracle.n:
        g = oracle.gradient(w, np.arange(oracle.n))
        r += g**2
        w -= g / np.sqrt(r + 1e-12)
    return w


ROOT = "np.sqrt(r + 1e-12)"

WRONG = edits(
    minimise,
    one_norm=(
        "One norm for all coordinates only makes a single rate shrink: each coordinate needs a sum of its own.",
        "g**2",
        "g @ g",
    ),
    no_floor=("", ROOT, "np.sqrt(r)"),
    not_kept=(
        "These are the weights at the start: is the result of the update kept?",
        "w -= g /",
        "v = w - g /",
    ),
    over_budget=(
        "",
        "while oracle.left:",
        "for _ in range(10 * oracle.n):",
    ),
)

PASTE = f"""
xp = np

{inspect.getsource(adagrad.body)}

def minimise(oracle, eta=0.01, eps=1e-10):
    rng = np.random.default_rng(0)
    w, G = np.zeros(oracle.d), np.zeros(oracle.d)
    while oracle.left:
        w, G = body(w, oracle.gradient(w, rng.integers(oracle.n)), G, eta, eps)
    return w
"""


def idle(oracle):
    return np.zeros(oracle.d)


GRADER = Grader(
    reference=Answer(minimise),
    right=answers(loops, in_torch, pairs, adam_decaying),
    wrong={**answers(one_rate, too_long, full_gradients), **WRONG, "paste": Answer(PASTE)},
    idle=answers(idle),
    judge=judge,
    serve=serve,
)
