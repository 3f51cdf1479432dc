"""How the sparse project is judged: the data, the oracle that counts, the loss on rows that nobody is given."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from mlsys.optim.rules import adagrad
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers
from mlsys.problems.ps1.sparse_project import BUDGET

ROWS = 1500  # given through the oracle, and as many held out
# Of the held-out loss at w = 0. Over 180 data sets, each of the right answers below ends at 0.02 in the mean and at
# 0.042 at most: the target is 9 standard deviations of the logarithm away, so a right answer fails less than once in a
# million runs. AdaGrad reaches it with any eta from 0.2 to 5; the best single rate ends at 0.18 or more.
TARGET = 0.1
NOISE = 0.1  # standard deviation, where the labels' is 1


class Data(NamedTuple):
    """X (2 ROWS, d), y (2 ROWS,): the first half is served, the second held out."""

    X: np.ndarray
    y: np.ndarray


class BudgetSpent(RuntimeError):
    """Asked for more gradients than the budget allows."""


@lru_cache(maxsize=8)
def data(seed: int, d: int) -> Data:
    """Rows with about eight features, a few features common and most rare, in units that differ 25-fold.

    Every feature explains about as much of y, so the rare ones, taken together, matter most. No unit goes with
    how common a feature is: the golden ratio spreads them evenly.
    """
    rng = np.random.default_rng(seed)
    rank = np.arange(1, d + 1)
    often = rank**-1.1
    often = np.minimum(0.5, 8 * often / often.sum())
    unit = 10.0 ** (1.4 * ((rng.random() + 0.6180339887 * rank) % 1) - 0.7)
    w = rng.choice([-1, 1], size=d) * rng.uniform(0.5, 1.5, size=d) / unit / np.sqrt(often)
    X = (rng.random((2 * ROWS, d)) < often) * rng.choice([-1, 1], size=(2 * ROWS, d)) * unit
    y = X @ w
    return Data(X, y / y.std() + NOISE * rng.normal(size=2 * ROWS))


class Oracle:
    """What the answer may ask: see the public half."""

    def __init__(self, rows: Data) -> None:
        self._X, self._y = rows.X[:ROWS], rows.y[:ROWS]
        self.n, self.d = self._X.shape
        self.left = BUDGET

    def gradient(self, w, i):
        """Of the loss (x_i . w - y_i)**2 / 2, or of its mean over several rows i.

        Raises BudgetSpent if fewer evaluations are left than rows asked for, and ValueError or IndexError if w or i
        is unfit.
        """
        w = np.asarray(w.detach() if hasattr(w, "detach") else w, dtype=float)
        rows = np.asarray(i)
        if w.shape != (self.d,):
            raise ValueError(f"w must have shape ({self.d},); it has {w.shape}.")
        if rows.dtype.kind not in "iu" or rows.ndim > 1 or rows.size == 0:
            raise IndexError(f"i must be a row's number, or a list of them; got {i!r}.")
        if rows.min() < 0 or rows.max() >= self.n:
            raise IndexError(f"rows are numbered from 0 to {self.n - 1}; got {i!r}.")
        if rows.size > self.left:
            raise BudgetSpent(
                f"{self.left} of {BUDGET} evaluations are left, {rows.size} were asked for. Return w before that."
            )
        self.left -= rows.size
        x = self._X[rows]
        if rows.ndim == 0:
            return (x @ w - self._y[rows]) * x
        return (x @ w - self._y[rows]) @ x / len(rows)


def serve(case: Case) -> Case:
    """A fresh oracle, and neither the seed nor the rows."""
    return Case(case.title, {"oracle": Oracle(data(case.given["seed"], case.given["d"]))})


def share_left(case: Case, w: np.ndarray) -> float:
    """The loss at w on the rows held out, as a share of that at 0."""
    X, y = data(case.given["seed"], case.given["d"])
    with np.errstate(all="ignore"):
        return float(np.mean((X[ROWS:] @ w - y[ROWS:]) ** 2) / np.mean(y[ROWS:] ** 2))


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """Whether the target is reached."""
    share, unused = share_left(case, arrays["w"][0]), int(arrays["evaluations left"])
    if share <= TARGET:
        return Verdict(1.0)
    if not np.isfinite(share):
        return Verdict(0.0, "The loss overflows: the steps are too long for some feature.")
    text = f"The held-out loss is {share:.3g} times that of w = 0; the target is {TARGET:g}."
    if unused > BUDGET // 10:
        text += f" {unused} of {BUDGET} evaluations were not used."
    elif share > 1:
        text += " It grew: the steps are too long for some feature."
    return Verdict(0.0, text)


def reference(oracle):
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
        i = int(torch.randint(oracle.n, (1,), generator=order))
        w.grad = torch.as_tensor(oracle.gradient(w, i), dtype=torch.float32)
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
        w -= 0.3 * oracle.gradient(w, rng.integers(oracle.n))
    return w


def one_norm(oracle):
    """One norm for all coordinates only makes a single rate shrink: each coordinate needs a sum of its own."""
    rng = np.random.default_rng(0)
    w, r = np.zeros(oracle.d), 0.0
    while oracle.left:
        g = oracle.gradient(w, rng.integers(oracle.n))
        r += g @ g
        w -= g / np.sqrt(r + 1e-12)
    return w


def full_gradients(oracle):
    """A gradient over all rows costs one evaluation a row: the budget lasts for two steps."""
    w, r = np.zeros(oracle.d), np.zeros(oracle.d)
    while oracle.left >= oracle.n:
        g = oracle.gradient(w, np.arange(oracle.n))
        r += g**2
        w -= g / np.sqrt(r + 1e-12)
    return w


def the_start(oracle):
    """These are the weights at the start: is the result of the update kept?"""
    return np.zeros(oracle.d)


def over_budget(oracle):
    """More is asked for than is left: stop while oracle.left is large enough."""
    rng = np.random.default_rng(0)
    w, r = np.zeros(oracle.d), np.zeros(oracle.d)
    for _ in range(10 * oracle.n):
        g = oracle.gradient(w, rng.integers(oracle.n))
        r += g**2
        w -= g / np.sqrt(r + 1e-12)
    return w


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


GRADER = Grader(
    reference=Answer(reference),
    right=answers(loops, in_torch, pairs, adam_decaying),
    wrong=answers(one_rate, too_long, one_norm, full_gradients, the_start, over_budget, paste=PASTE),
    judge=judge,
    serve=serve,
)
