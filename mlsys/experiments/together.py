"""Many runs of one small network at once: a row of weights a run, each with its own data, batches and rate.

A step of a small network is mostly overhead; two hundred runs in one array cost little more than ten by themselves. The
rules are those of mlsys.optim, whose bodies are elementwise, with a rate a row: the hyper-parameter eta is (runs, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from mlsys.core import Rule, generator
from mlsys.data import load
from mlsys.models import MLP
from mlsys.optim import decayed, scheduled
from mlsys.optim.rules import adam, radam, rmsprop, sgd
from mlsys.optim.schedules import Schedule

CAP = 100.0  # nats: the loss of a run that diverged
HIDDEN = 32
TEST, TRAIN = (
    719,
    808,
)  # digits to judge by, the same for every seed, and to learn from; the rest is to choose by

Make = Callable[[np.ndarray], Rule]  # rates (runs, 1) -> Rule
MAKERS: dict[str, Make] = {
    "adam": lambda eta: adam.rule(adam.AdamHyper(eta, 0.9, 0.999, 1e-8)),  # type: ignore[arg-type]
    "adamw": lambda eta: decayed(MAKERS["adam"](eta), 0.01, decoupled=True),
    "rmsprop": lambda eta: rmsprop.rule(rmsprop.RMSPropHyper(eta, 0.99, 1e-8)),  # type: ignore[arg-type]
    "radam": lambda eta: radam.rule(radam.RAdamHyper(eta, 0.9, 0.999, 1e-8)),  # type: ignore[arg-type]
    "sgd": lambda eta: sgd.momentum_rule(sgd.SGDHyper(eta, 0.9)),  # type: ignore[arg-type]
}


class Digits(NamedTuple):
    """X, y : of each part, digits split by a seed;  start (d,) : the network's first weights. All in float32."""

    train: tuple[np.ndarray, np.ndarray]
    valid: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    start: np.ndarray


@lru_cache(256)
def digits(seed: int, noise: float = 0.0) -> Digits:
    """Digits to learn from, to choose by and to judge by, and a start, as the seed draws them.

    noise : share of the labels to learn from that are drawn anew, at random
    """
    data = load("digits")
    order = generator(0, "together", "test").permutation(len(data))
    rest = generator(seed, "together", "split").permutation(order[TEST:])
    X, y = data.X.astype(np.float32), data.y
    parts = [(X[rows], y[rows]) for rows in (rest[:TRAIN], rest[TRAIN:], order[:TEST])]
    wrong = generator(seed, "together", "noise")
    labels = np.where(wrong.random(TRAIN) < noise, wrong.integers(10, size=TRAIN), parts[0][1])
    parts[0] = parts[0][0], labels
    start = MLP(*parts[0], hidden=(HIDDEN,)).start(generator(seed, "together", "start"))
    return Digits(parts[0], parts[1], parts[2], start)


def layers(w: np.ndarray, features: int, classes: int) -> tuple[np.ndarray, ...]:
    """(W1 (runs, HIDDEN, features), b1, W2 (runs, classes, HIDDEN), b2): views of w (runs, d), in MLP's order."""
    cuts = np.cumsum([HIDDEN * features, HIDDEN, classes * HIDDEN])
    W1, b1, W2, b2 = np.split(w, cuts, axis=1)
    return W1.reshape(-1, HIDDEN, features), b1, W2.reshape(-1, classes, HIDDEN), b2


def loss_and_gradient(
    w: np.ndarray, X: np.ndarray, y: np.ndarray, classes: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """Mean cross-entropy (runs,) of each run's network on its batch, and its gradient (runs, d).

    w : (runs, d);  X : (runs, b, features);  y : (runs, b) labels. What MLP with one hidden layer gives, a run each.
    """
    runs, b, features = X.shape
    W1, b1, W2, b2 = layers(w, features, classes)
    h = np.tanh(X @ W1.transpose(0, 2, 1) + b1[:, None])
    z = h @ W2.transpose(0, 2, 1) + b2[:, None]
    z -= z.max(axis=2, keepdims=True)
    p = np.exp(z)
    total = p.sum(axis=2, keepdims=True)
    here = np.arange(runs)[:, None], np.arange(b)[None], y
    loss = (np.log(total[..., 0]) - z[here]).mean(axis=1)
    p /= total
    p[here] -= 1
    p /= b
    back = (p @ W2) * (1 - h * h)
    parts = back.transpose(0, 2, 1) @ X, back.sum(1), p.transpose(0, 2, 1) @ h, p.sum(1)
    return loss, np.concatenate([part.reshape(runs, -1) for part in parts], axis=1)


def misread(w: np.ndarray, X: np.ndarray, y: np.ndarray, classes: int = 10) -> np.ndarray:
    """The share of labels that each run's network misses: (runs,); 1 where its weights are not finite."""
    W1, b1, W2, b2 = layers(w, X.shape[-1], classes)
    z = np.tanh(X @ W1.transpose(0, 2, 1) + b1[:, None]) @ W2.transpose(0, 2, 1) + b2[:, None]
    wrong = (z.argmax(2) != y).mean(axis=1)
    return np.where(np.isfinite(z).all(axis=(1, 2)), wrong, 1.0)


class Curves(NamedTuple):
    """A row a seed, a column a rate, then an epoch each. loss : mean training loss of its batches, in nats, at most CAP
    error : share of held-out digits misread after it; NaN where it was not asked for."""

    loss: np.ndarray
    error: np.ndarray


def train(
    optimiser: str,
    rates: Sequence[float],
    seeds: Sequence[int],
    batch: int,
    epochs: int,
    schedule: Callable[[int], Schedule],
    part: str = "test",
    every: int = 0,
    noise: float = 0.0,
) -> Curves:
    """Train a network on digits for each of the seeds at each of the rates.

    optimiser : of MAKERS;  schedule : steps of the run -> Schedule;  part : "valid" or "test"
    every : epochs between two looks at the held-out error, 0 for the end alone;  noise : of `digits`
    A run that diverges has the loss CAP and the error 1. A run of a seed and rate is the same, up to rounding, whatever
    runs beside it.
    """
    data = [digits(seed, noise) for seed in seeds]
    X, y = (np.stack([each.train[i] for each in data]) for i in (0, 1))
    held_X, held_y = (
        np.repeat(np.stack([getattr(d, part)[i] for d in data]), len(rates), axis=0) for i in (0, 1)
    )
    w = np.repeat(np.stack([each.start for each in data]), len(rates), axis=0)
    steps = TRAIN // batch
    eta = np.tile(np.asarray(rates, np.float32), len(seeds))[:, None]
    rule = scheduled(MAKERS[optimiser](eta), schedule(epochs * steps))
    state, rngs = rule.init(w), [generator(seed, "together", "batches") for seed in seeds]
    loss, error = (np.full((len(w), epochs), fill) for fill in (CAP, np.nan))
    with np.errstate(all="ignore"):
        for epoch in range(epochs):
            order = np.stack([rng.permutation(TRAIN)[: steps * batch] for rng in rngs])
            total = np.zeros(len(w))
            for at in np.split(order, steps, axis=1):
                rows = np.arange(len(seeds))[:, None], at
                drawn_X, drawn_y = (np.repeat(values[rows], len(rates), axis=0) for values in (X, y))
                now, g = loss_and_gradient(w, drawn_X, drawn_y)
                w, state = rule.step(w, g, state)
                w = w.astype(np.float32, copy=False)
                total += now
            loss[:, epoch] = np.where(total / steps < CAP, total / steps, CAP)
            if epoch + 1 == epochs or (every and (epoch + 1) % every == 0):
                error[:, epoch] = misread(w, held_X, held_y)
    shape = len(seeds), len(rates), epochs
    return Curves(loss.reshape(shape), error.reshape(shape))


def columns(values: Any) -> list[Any]:
    """As JSON has them, to four digits."""
    return [columns(v) if np.ndim(v) else float(f"{v:.4g}") for v in values]
