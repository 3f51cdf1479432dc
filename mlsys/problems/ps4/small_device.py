"""A net with one hidden layer that has units to spare, and a device that stores it in few bits, runs it and counts."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

INPUTS, CLASSES, ESSENTIAL, COPIES, UNITS = 16, 5, 8, 3, 40
NOISE = 0.02  # by which the copies differ
GIVEN, VALID, TEST = 1500, 1000, 4000  # examples
TRIALS = 60
MOST_BYTES, MOST_WORK = 300, 190
BITS = range(2, 17)


class Net(NamedTuple):
    """relu(x @ W1 + b1) @ W2 + b2 : W1 (inputs, units), b1 (units,), W2 (units, classes), b2 (classes,)"""

    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray


class Task(NamedTuple):
    """net : as it was trained;  X, y : examples, given ones first, then those of the device, then those kept apart"""

    net: Net
    X: np.ndarray
    y: np.ndarray


class BudgetSpent(RuntimeError):
    """Asked for more trials than there are."""


def scores(net: Net, X: np.ndarray) -> np.ndarray:
    """The net's outputs, (n, classes)."""
    return np.maximum(X @ net.W1 + net.b1, 0) @ net.W2 + net.b2


def accuracy(net: Net, X: np.ndarray, y: np.ndarray) -> float:
    """The share of the examples whose largest output is that of their class."""
    with np.errstate(all="ignore"):
        return float((scores(net, X).argmax(axis=1) == y).mean())


@lru_cache(maxsize=8)
def task(seed: int) -> Task:
    """Labels by a net of eight units; the trained one has each three times, in shares, and sixteen of little use.

    Of these, eight have large weights and hardly ever fire, and eight fire often and add next to nothing.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(GIVEN + VALID + TEST, INPUTS))
    V = rng.normal(size=(INPUTS, ESSENTIAL))
    V /= np.linalg.norm(V, axis=0)
    a = rng.uniform(-0.3, 0.3, size=ESSENTIAL)
    U = rng.normal(size=(ESSENTIAL, CLASSES))
    U *= rng.uniform(0.7, 1.3, size=(ESSENTIAL, 1)) / np.linalg.norm(U, axis=1, keepdims=True)
    true = np.maximum(X @ V + a, 0) @ U
    middle = -true.mean(axis=0)
    y = (true + middle).argmax(axis=1)
    shares = rng.uniform(0.5, 1.5, size=(COPIES, ESSENTIAL))
    shares /= shares.sum(axis=0)
    gains = rng.uniform(0.5, 2, size=(COPIES, ESSENTIAL))
    few = (UNITS - COPIES * ESSENTIAL) // 2
    loud = 3 * rng.normal(size=(INPUTS, few))
    W1 = [(V + NOISE * rng.normal(size=V.shape)) * gain for gain in gains]
    W1 += [loud, rng.normal(size=(INPUTS, few)) / 2]
    b1 = [*(gains * a), -3.2 * np.linalg.norm(loud, axis=0), rng.uniform(0, 1, size=few)]
    W2 = [(share / gain)[:, None] * U for share, gain in zip(shares, gains, strict=True)]
    W2 += [0.3 * rng.normal(size=(few, CLASSES)), 0.01 * rng.normal(size=(few, CLASSES))]
    order = rng.permutation(UNITS)
    net = Net(
        np.concatenate(W1, axis=1)[:, order], np.concatenate(b1)[order], np.concatenate(W2)[order], middle
    )
    return Task(net, X, y)


def part(of: Task, which: str) -> tuple[np.ndarray, np.ndarray]:
    """X and y of the examples "given", "valid" or "test"."""
    begin, end = {
        "given": (0, GIVEN),
        "valid": (GIVEN, GIVEN + VALID),
        "test": (GIVEN + VALID, GIVEN + VALID + TEST),
    }[which]
    return of.X[begin:end], of.y[begin:end]


def stored(net: Net, bits: int) -> Net:
    """What the device makes of a net: each column of a matrix rounded to whole multiples of its own scale."""
    return net._replace(W1=rounded(net.W1, bits), W2=rounded(net.W2, bits))


def rounded(W: np.ndarray, bits: int) -> np.ndarray:
    """scale * round(W / scale), with the scale of a column its largest magnitude / (2**(bits - 1) - 1)."""
    most = np.abs(W).max(axis=0, initial=0.0)
    scale = np.where(most > 0, most, 1.0) / (2 ** (bits - 1) - 1)
    return np.round(W / scale) * scale


def size_bytes(net: Net, bits: int) -> int:
    """Bytes of the rounded matrices, each all packed or as a bitmap and what is not 0; scales of 2, biases of 4."""
    kept = stored(net, bits)
    total = 4 * (kept.b1.size + kept.b2.size)
    for W in (kept.W1, kept.W2):
        dense, sparse = W.size * bits, W.size + int(np.count_nonzero(W)) * bits
        total += math.ceil(min(dense, sparse) / 8) + 2 * W.shape[1]
    return total


def work(net: Net, bits: int) -> float:
    """Products of one prediction, each bits / 8 of the time of an 8-bit one; a 0 takes as long as any other number."""
    return (net.W1.size + net.W2.size) * bits / 8


def device(of: Task) -> Any:
    """What the answer may ask: trial, left, most_bytes and most_work, and nothing else that can be read."""
    X, y = part(of, "valid")
    left = TRIALS

    def trial(W1: Any, b1: Any, W2: Any, b2: Any, bits: Any) -> np.ndarray:
        """Store a net in so many bits and run it: its bytes, its work, its accuracy on the device's examples."""
        nonlocal left
        net, width = fit(W1, b1, W2, b2), whole_bits(bits)
        if left < 1:
            raise BudgetSpent(f"All {TRIALS} trials have been made. Return your answer before that.")
        left -= 1
        return np.array([size_bytes(net, width), work(net, width), accuracy(stored(net, width), X, y)])

    shown = {"left": property(lambda _: left), "trial": staticmethod(trial)}
    limits = {"most_bytes": property(lambda _: MOST_BYTES), "most_work": property(lambda _: MOST_WORK)}
    return type("Device", (), {"__slots__": (), **shown, **limits})()


def fit(W1: Any, b1: Any, W2: Any, b2: Any) -> Net:
    """A net of plain arrays. Raises ValueError where shapes do not fit together or a number is not finite."""
    net = Net(
        *(np.array(x.detach().numpy() if hasattr(x, "detach") else x, dtype=float) for x in (W1, b1, W2, b2))
    )
    units = net.b1.size
    wanted = Net((INPUTS, units), (units,), (units, CLASSES), (CLASSES,))  # type: ignore[arg-type]
    for name, x, shape in zip(Net._fields, net, wanted, strict=True):
        if x.shape != shape:
            raise ValueError(f"{name} should have shape {shape}, with b1 of {units} units; it has {x.shape}.")
        if not np.isfinite(x).all():
            raise ValueError(f"{name} holds {int((~np.isfinite(x)).sum())} numbers that are not finite.")
    return net


def whole_bits(bits: Any) -> int:
    """Bits as an int. Raises ValueError unless they are a whole number the device knows."""
    width = float(bits)
    if width not in BITS:
        raise ValueError(f"bits must be a whole number from {BITS[0]} to {BITS[-1]}; got {bits!r}.")
    return int(width)


def practice(seed: int) -> tuple[Any, ...]:
    """net, X, y and device of a made-up task, and test(W1, b1, W2, b2, bits), the accuracy on examples kept apart."""
    made = task(seed)

    def test(W1: Any, b1: Any, W2: Any, b2: Any, bits: Any) -> float:
        return accuracy(stored(fit(W1, b1, W2, b2), whole_bits(bits)), *part(made, "test"))

    net = tuple(np.array(x) for x in made.net)
    return (net, *(np.array(x) for x in part(made, "given")), device(made), test)
