"""The training tasks, by name: TASKS, small enough for the book, and PUBLISHED, as the literature has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, lru_cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mlsys.core import generator
from mlsys.data import Dataset, augmented, images, load, load_text
from mlsys.experiments.training import Curve, Make, Part, Parts, Task, train
from mlsys.models import torch_mlp
from mlsys.models.networks import conv_net, lstm_model

__all__ = ["PUBLISHED", "TASKS", "Curve", "Make", "Part", "Parts", "Task", "train"]

TEST_DIGITS = 719  # two fifths, which no search ever sees


@cache
def _digits() -> tuple[Tensor, Tensor]:
    """All digits in one fixed random order."""
    data = load("digits")
    order = generator(0, "tasks", "digits").permutation(len(data))
    return torch.tensor(data.X[order], dtype=torch.float32), torch.tensor(data.y[order])


@lru_cache(8)
def digits(seed: int, n: int = 808, noise: float = 0.0) -> Parts:
    """Real digits, 8 x 8: the same test part for every seed, which draws train and valid parts from the rest.

    n : examples to learn from;  noise : share of their labels that are drawn anew, at random
    """
    X, y = _digits()
    rng = generator(seed, "tasks", "digits", "split")
    rest = TEST_DIGITS + torch.from_numpy(rng.permutation(len(y) - TEST_DIGITS))
    train, valid = rest[:n], rest[n:]
    wrong = torch.from_numpy((rng.random(n) < noise) * 1)
    labels = torch.where(wrong == 1, torch.from_numpy(rng.integers(10, size=n)), y[train])
    test = slice(0, TEST_DIGITS)
    return Parts(Part(X[train], labels), Part(X[valid], y[valid]), Part(X[test], y[test]))


@lru_cache(8)
def sentences(seed: int, n: int = 384) -> Parts:
    """A generated language, which the seed draws: n sentences to learn from, n / 2 to choose by, n to judge by."""
    text = load_text("grammar", seed, sentences=5 * n // 2 + 1)

    def part(first: int, last: int) -> Part:
        # The last target of a sentence is the first token of the next.
        stretch = slice(first * text.period, last * text.period + 1)
        assert text.surprisal is not None  # its source is known
        cut = replace(text, tokens=text.tokens[stretch], surprisal=text.surprisal[stretch])
        X, y = cut.windows(text.period)
        return Part(torch.tensor(X), torch.tensor(y), cut.floor(text.period))

    return Parts(part(0, n), part(n, 3 * n // 2), part(3 * n // 2, 5 * n // 2))


@lru_cache(8)
def drawings(seed: int, n: int = 1600) -> Parts:
    """Generated shapes of 12 x 12: n to learn from, n / 2 to choose by, n to judge by, all drawn by the seed."""
    return _parts(load("shapes", seed, n=5 * n // 2, size=12, noise=0.0), seed, n, n // 2)


@lru_cache(1)
def photographs(seed: int, name: str) -> Parts:
    """MNIST or CIFAR-10 from OpenML: the authors' last 10,000 to judge by; of the rest, a tenth drawn to choose by."""
    data = load(name)
    rest, test = data.take(np.arange(len(data) - 10_000)), data.take(np.arange(len(data) - 10_000, len(data)))
    valid = len(rest) // 10
    drawn = _parts(rest, seed, len(rest) - valid, valid)
    return drawn._replace(test=_part(test, slice(None)))


def _parts(data: Dataset, seed: int, train: int, valid: int) -> Parts:
    """So many rows for each part in a random order, the remaining ones to judge by."""
    order = generator(seed, "tasks", data.name, "split").permutation(len(data))
    cuts = (0, train, train + valid, len(data))
    return Parts(*(_part(data, order[first:last]) for first, last in pairwise(cuts)))


def _part(data: Dataset, rows: Any) -> Part:
    return Part(torch.tensor(images(data)[rows], dtype=torch.float32), torch.tensor(data.y[rows]))


def small_mlp(seed: int) -> nn.Module:
    """One hidden layer of 32, tanh."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        return torch_mlp((64, 32, 10))


def small_lstm(seed: int) -> nn.Module:
    """One LSTM layer of width 32 over 57 words."""
    return lstm_model(57, width=32, seed=seed)


def digits_conv(seed: int) -> nn.Module:
    """Three convolutions of 6, 12 and 24 channels with batch norm."""
    return nn.Sequential(nn.Unflatten(1, (1, 8, 8)), conv_net(1, 10, 8, width=6, seed=seed))


def shapes_conv(seed: int) -> nn.Module:
    """Three convolutions of 6, 12 and 24 channels with batch norm."""
    return conv_net(1, 10, 12, width=6, seed=seed)


def _published(name: str, channels: int, size: int, epochs: int) -> Task:
    """A real set as the literature has it: a residual net, crops and mirror images; on a GPU where there is one."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    blocks, vary = (3, augmented) if name == "cifar10" else (1, None)

    def network(seed: int) -> nn.Module:
        return conv_net(channels, 10, size, width=16, blocks=blocks, seed=seed)

    return Task(name, partial(photographs, name=name), network, 128, epochs, vary=vary, device=device)


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task("digits-mlp", digits, small_mlp, batch=32, epochs=15),
        Task("digits-conv", digits, digits_conv, batch=32, epochs=8),
        Task("shapes-conv", drawings, shapes_conv, batch=64, epochs=8),
        Task("text-lstm", sentences, small_lstm, batch=16, epochs=8, metric="nats", worst=2.0),
    )
}
PUBLISHED: dict[str, Callable[[], Task]] = {  # made when asked for, since it looks for a GPU
    "mnist": lambda: _published("mnist", 1, 28, 10),
    "cifar10": lambda: _published("cifar10", 3, 32, 30),
}
