"""Short trainings on few rows, and a study that gives out their losses and counts."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

TRAIN, VALID, TEST = 40, 400, 2000  # rows
STRONG, WEAK = 8, 0.3  # features that matter, and the size of all others
NOISE, START = 0.2, 2.5  # of the labels, and how far off the weights start
STEPS, BATCH = 60, 8  # of a training
DIVERGED = 1000.0  # a loss of so many times that of w = 0 is called infinite
BUDGET = 60  # trials, of both optimisers together
OPTIMIZERS = ("adamw", "sgd")


class Data(NamedTuple):
    """X (rows, d), y (rows,): for training, validation and test, in this order; start (d,) : the first weights;
    H (STEPS, d, d), b (STEPS, d) : what the gradient of each step's batch is made of, H @ w - b."""

    X: np.ndarray
    y: np.ndarray
    start: np.ndarray
    H: np.ndarray
    b: np.ndarray


class BudgetSpent(RuntimeError):
    """Asked for more trials than the budget allows."""


@lru_cache(maxsize=8)
def data(seed: int, d: int) -> Data:
    """Fewer rows to train on than there are features, of which a few matter.

    The weights start far off, and the rows say nothing of many directions: there only decay takes the start away.
    """
    rng = np.random.default_rng(seed)
    sizes = np.where(np.arange(d) < STRONG, 1.0, WEAK)
    X = rng.normal(size=(TRAIN + VALID + TEST, d)) * sizes
    w = np.where(np.arange(d) < STRONG, rng.choice([-1, 1], size=d) * rng.uniform(0.5, 1.5, size=d), 0.0)
    y = X @ (w / np.sqrt(STRONG)) + NOISE * rng.normal(size=len(X))
    start = START * rng.normal(size=d) / np.sqrt(d) / sizes
    epochs = -(-STEPS * BATCH // TRAIN)
    order = np.concatenate([rng.permutation(TRAIN) for _ in range(epochs)])[: STEPS * BATCH].reshape(
        STEPS, BATCH
    )
    H = np.stack([X[rows].T @ X[rows] / BATCH for rows in order])
    b = np.stack([X[rows].T @ y[rows] / BATCH for rows in order])
    return Data(X, y, start, H, b)


def trained(rows: Data, optimizer: str, rate: float, decay: float) -> np.ndarray:
    """The weights after a training; not finite where it diverged."""
    w, m, v = rows.start, np.zeros_like(rows.start), np.zeros_like(rows.start)
    with np.errstate(all="ignore"):
        for t, (H, b) in enumerate(zip(rows.H, rows.b, strict=True), 1):
            g = H @ w - b
            if optimizer == "sgd":
                m = 0.9 * m + g + decay * w
                w = w - rate * m
            else:
                m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
                move = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
                w = w - rate * (move + decay * w)
    return w


@lru_cache(maxsize=4096)
def losses(seed: int, d: int, optimizer: str, rate: float, decay: float) -> tuple[float, float, float]:
    """Of a training, on the rows for training, validation and test: each a share of what w = 0 has there; inf where it
    diverged."""
    rows = data(seed, d)
    with np.errstate(all="ignore"):
        off = (rows.X @ trained(rows, optimizer, rate, decay) - rows.y) ** 2
    none = rows.y**2
    parts = (slice(TRAIN), slice(TRAIN, TRAIN + VALID), slice(TRAIN + VALID, None))
    shares = [float(np.mean(off[part]) / np.mean(none[part])) for part in parts]
    train, valid, test = (share if share < DIVERGED else np.inf for share in shares)
    return train, valid, test


def study(seed: int, d: int) -> Any:
    """What the answer may ask: adamw, sgd and left, and nothing else that can be read.

    No attribute leads to the rows, and `left` cannot be set. A closure can still be dug out of by who means to: what
    must not be seen has to be in another process.
    """
    left = BUDGET

    def trial(optimizer: str, rate: Any, decay: Any) -> np.ndarray:
        nonlocal left
        settings = _number(rate, "rate", "above 0"), _number(decay, "decay", "0 or more")
        if settings[0] == 0:
            raise ValueError(f"rate must be a number above 0; got {rate!r}.")
        if left < 1:
            raise BudgetSpent(f"All {BUDGET} trials have been made. Return your answer before that.")
        left -= 1
        return np.array(losses(seed, d, optimizer, *settings)[:2])

    def adamw(rate: Any, decay: Any, /) -> np.ndarray:
        """Train with AdamW: the training loss, and the validation loss. Costs one trial."""
        return trial("adamw", rate, decay)

    def sgd(rate: Any, decay: Any, /) -> np.ndarray:
        """Train with SGD, momentum 0.9 and L2: the training loss, and the validation loss. Costs one trial."""
        return trial("sgd", rate, decay)

    shown = {"left": property(lambda _: left), "adamw": staticmethod(adamw), "sgd": staticmethod(sgd)}
    return type("Study", (), {"__slots__": (), **shown})()


def _number(value: Any, name: str, wanted: str) -> float:
    """One finite number that is not negative. Raises ValueError for anything else."""
    plain = np.asarray(value.detach() if hasattr(value, "detach") else value)
    if plain.size != 1 or plain.dtype.kind not in "iuf" or not np.isfinite(plain).all() or plain.item() < 0:
        raise ValueError(f"{name} must be a number {wanted}; got {value!r}.")
    return float(plain.item())


def practice(seed: int, d: int = 60) -> tuple[Any, Any]:
    """A study of made-up rows of this kind, and test(optimizer, rate, decay), the loss on rows kept apart."""
    return study(seed, d), lambda optimizer, rate, decay: losses(
        seed, d, optimizer, float(rate), float(decay)
    )[2]
