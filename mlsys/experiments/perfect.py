"""Adam with statistics that cannot be had: a second moment made of expectations in place of a batch's squares.

    v <- beta2 * v + (1 - beta2) * s;  w <- w - eta * m_hat / (sqrt(v_hat) + eps)
    "own":     s = g**2, v from 0 and corrected: Adam
    "start":   s = g**2, v from E[g**2] at the first weights and not corrected: perfect at first, then ever staler
    "perfect": s = E[g**2] at the weights of this step, v from 0 and corrected: Adam's memory without its noise

E[g**2] is that of all batches of the same size, computed exactly, since a network of one hidden layer allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mlsys.core import generator
from mlsys.experiments import together
from mlsys.optim.schedules import Schedule

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8
KINDS = ("own", "start", "perfect")


def expected_square(w: np.ndarray, X: np.ndarray, y: np.ndarray, batch: int, classes: int = 10) -> np.ndarray:
    """E[g**2] of the mean gradient of `batch` examples drawn without replacement from X, y: (runs, d).

    mean**2 + (mean square - mean**2) * (n - batch) / ((n - 1) * batch), the means over single examples
    w : (runs, d), networks as in `together`;  X : (n, features);  y : (n,)
    """
    n, features = X.shape
    W1, b1, W2, b2 = together.layers(w, features, classes)
    h = np.tanh(X @ W1.transpose(0, 2, 1) + b1[:, None])
    z = h @ W2.transpose(0, 2, 1) + b2[:, None]
    p = np.exp(z - z.max(axis=2, keepdims=True))
    p /= p.sum(axis=2, keepdims=True)
    p[:, np.arange(n), y] -= 1
    back = (p @ W2) * (1 - h * h)
    # An example's gradient is a product of what comes back and what went in, and so is its square.
    mean, square = (_means(back**k, np.broadcast_to(X**k, (len(w), n, features)), p**k, h**k) for k in (1, 2))
    return mean**2 + (square - mean**2) * ((n - batch) / ((n - 1) * batch))


def _means(back: np.ndarray, X: np.ndarray, p: np.ndarray, h: np.ndarray) -> np.ndarray:
    """The means over examples of back * X, back, p * h and p, in the order of the weights: (runs, d)."""
    parts = back.transpose(0, 2, 1) @ X, back.sum(1), p.transpose(0, 2, 1) @ h, p.sum(1)
    return np.concatenate([part.reshape(len(p), -1) for part in parts], axis=1) / X.shape[1]


def train(
    kind: str,
    rates: Sequence[float],
    seeds: Sequence[int],
    batch: int,
    epochs: int,
    schedule: Callable[[int], Schedule],
) -> np.ndarray:
    """The mean training loss of the last epoch, at most together.CAP: (seeds, rates).

    kind : of KINDS;  schedule : steps of the run -> Schedule. Start, data and batches are those of `together.train`.
    """
    return np.stack([_run(kind, rates, seed, batch, epochs, schedule) for seed in seeds])


def _run(
    kind: str,
    rates: Sequence[float],
    seed: int,
    batch: int,
    epochs: int,
    schedule: Callable[[int], Schedule],
) -> np.ndarray:
    data, rng, t = together.digits(seed), generator(seed, "together", "batches"), 0
    X, y = data.train
    steps = together.TRAIN // batch
    plan, eta = schedule(epochs * steps), np.asarray(rates, np.float32)[:, None]
    w = np.repeat(data.start[None], len(rates), axis=0)
    m, v, loss = 0 * w, expected_square(w, X, y, batch) if kind == "start" else 0 * w, np.zeros(len(w))
    with np.errstate(all="ignore"):
        for _ in range(epochs):
            loss = np.zeros(len(w))
            for at in np.split(rng.permutation(together.TRAIN)[: steps * batch], steps):
                t += 1
                drawn_X, drawn_y = (np.repeat(part[at][None], len(w), axis=0) for part in (X, y))
                now, g = together.loss_and_gradient(w, drawn_X, drawn_y)
                s = expected_square(w, X, y, batch) if kind == "perfect" else g * g
                m, v = BETA1 * m + (1 - BETA1) * g, BETA2 * v + (1 - BETA2) * s
                root = np.sqrt(v if kind == "start" else v / (1 - BETA2**t))
                w = (w - eta * plan.factor(t) * (m / (1 - BETA1**t)) / (root + EPS)).astype(np.float32)
                loss += now / steps
    return np.where(loss < together.CAP, loss, together.CAP)
