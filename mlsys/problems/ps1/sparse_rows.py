"""Sparse rows in different units, and an oracle that gives out gradients on them and counts."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

ROWS = 1500  # given through the oracle, and as many held out
BUDGET = 3000  # gradient evaluations of one row
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


def oracle(rows: Data) -> Any:
    """What the answer may ask: d, n, left and gradient, which count down and hold nothing else that can be read.

    No attribute leads to the rows, and `left` cannot be set. A closure can still be dug out of by who means to: what
    must not be seen has to be in another process.
    """
    X, y = rows.X[:ROWS], rows.y[:ROWS]
    (n, d), left = X.shape, BUDGET

    def gradient(w: Any, i: Any) -> np.ndarray:
        """Of the loss (x_i . w - y_i)**2 / 2, or of its mean over several rows i.

        Raises BudgetSpent if fewer evaluations are left than rows asked for, and ValueError or IndexError if w or i
        is unfit.
        """
        nonlocal left
        w = np.asarray(w.detach() if hasattr(w, "detach") else w, dtype=float)
        rows = np.asarray(i)
        if w.shape != (d,):
            raise ValueError(f"w must have shape ({d},); it has {w.shape}.")
        if rows.dtype.kind not in "iu" or rows.ndim > 1 or rows.size == 0:
            raise IndexError(f"i must be a row's number, or a list of them; got {i!r}.")
        if rows.min() < 0 or rows.max() >= n:
            raise IndexError(f"rows are numbered from 0 to {n - 1}; got {i!r}.")
        if rows.size > left:
            raise BudgetSpent(
                f"{left} of {BUDGET} evaluations are left, {rows.size} were asked for. Return w before that."
            )
        left -= rows.size
        x = X[rows]
        if rows.ndim == 0:
            return (x @ w - y[rows]) * x
        return (x @ w - y[rows]) @ x / len(rows)

    shown = {"d": property(lambda _: d), "n": property(lambda _: n), "left": property(lambda _: left)}
    return type("Oracle", (), {"__slots__": (), "gradient": staticmethod(gradient), **shown})()


def share_left(rows: Data, w: Any) -> float:
    """The loss at w on the rows held out, as a share of that at 0."""
    X, y = rows.X[ROWS:], rows.y[ROWS:]
    w = np.asarray(w.detach() if hasattr(w, "detach") else w, dtype=float)
    with np.errstate(all="ignore"):
        return float(np.mean((X @ w - y) ** 2) / np.mean(y**2))


def best_scale(rows: Data, w: np.ndarray) -> float:
    """The number that w should be multiplied by to fit the rows held out best; 1 where that cannot be said."""
    X, y = rows.X[ROWS:], rows.y[ROWS:]
    made = X @ w
    size = float(made @ made)
    return float(made @ y) / size if size else 1.0


def practice(seed: int, d: int = 90) -> tuple[Any, Any]:
    """An oracle on made-up rows of this kind, and a function from weights to their share of the loss at 0."""
    rows = data(seed, d)
    return oracle(rows), lambda w: share_left(rows, w)
