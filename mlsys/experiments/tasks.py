"""Small training tasks, one interface: `train(TASKS["digits"], seed, make)` is the curve of a run, an epoch a row.

A task is data, network, batch size, epochs and what is judged. What is judged is always an *error*, lower is better:
the share of held-out labels missed, or nats above the entropy of the source, which no model can go below.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mlsys.core import generator
from mlsys.data import load
from mlsys.data.grammar import grammar
from mlsys.models import torch_mlp
from mlsys.models.networks import conv_net, lstm_model
from mlsys.optim.schedules import Schedule

LOSS_CAP = 100.0  # nats: the training loss of a run that diverged, and the most that any run is given
Make = Callable[[Iterable[Tensor]], torch.optim.Optimizer]  # such as lambda ps: Adam(ps, lr=1e-3)


class Part(NamedTuple):
    """X : inputs, a row an example;  y (n,) or (n, positions) : the labels, whole numbers;  floor : nats that the
    source itself would score on them, where it is known."""

    X: Tensor
    y: Tensor
    floor: float = 0.0


class Parts(NamedTuple):
    """train : to learn from;  valid : to choose hyper-parameters by;  test : to judge by, and for nothing else."""

    train: Part
    valid: Part
    test: Part


class Curve(NamedTuple):
    """A row an epoch. loss : mean training loss of its batches, in nats;  error : on the part asked for, after it."""

    loss: np.ndarray
    error: np.ndarray


@dataclass(frozen=True)
class Task:
    """What is learnt, how long, and what is judged.

    parts : seed -> Parts;  network : seed -> a torch module, whose logits' last axis is the classes
    batch : examples a step;  epochs : passes over the train part
    metric : "accuracy", whose error is 1 - accuracy, or "nats", whose error is cross-entropy minus the part's floor
    worst : the error that a diverged run gets, and the most that any run is given
    dataclasses.replace(task, batch=256) is the same task with another batch size.
    """

    name: str
    parts: Callable[[int], Parts]
    network: Callable[[int], nn.Module]
    batch: int
    epochs: int
    metric: Literal["accuracy", "nats"] = "accuracy"
    worst: float = 1.0

    def steps(self, seed: int = 0, epochs: int | None = None) -> int:
        """Steps of a whole run."""
        return (epochs or self.epochs) * max(1, len(self.parts(seed).train.y) // self.batch)


def train(
    task: Task,
    seed: int,
    make: Make,
    part: Literal["valid", "test"] = "test",
    schedule: Callable[[int], Schedule] | None = None,
    epochs: int | None = None,
) -> Curve:
    """Train the task's network, and see after each epoch how it does on one part; the other is not looked at.

    seed : draws split, start and batches, so that two optimisers of one seed see the same
    make : parameters -> optimizer;  schedule : steps of the run -> Schedule;  epochs : in place of the task's
    A run that diverges gets the worst outcome from there on. The same numbers whatever the number of threads.
    """
    parts, epochs = task.parts(seed), epochs or task.epochs
    held_out = getattr(parts, part)
    with one_thread():
        model = started(task, seed)
        optimizer = make(model.parameters())
        advance = _Advance(optimizer, schedule and schedule(task.steps(seed, epochs)))
        losses, errors = np.full(epochs, LOSS_CAP), np.full(epochs, task.worst)
        rng = generator(seed, "tasks", task.name, "batches")
        for epoch in range(epochs):
            loss = _epoch(
                model, optimizer, advance, parts.train, _batches(rng, len(parts.train.y), task.batch)
            )
            if not loss < LOSS_CAP:
                break
            losses[epoch], errors[epoch] = loss, error(task, model, held_out)
    return Curve(losses, errors)


def started(task: Task, seed: int) -> nn.Module:
    """The task's network at its random start, the same for every optimiser."""
    return task.network(int(generator(seed, "tasks", task.name, "start").integers(2**62)))


def error(task: Task, model: nn.Module, part: Part) -> float:
    """The error on a part, at most the task's worst."""
    model.eval()
    with torch.no_grad():
        logits = model(part.X)
        if task.metric == "accuracy":
            found = float((logits.argmax(-1) != part.y).double().mean())
        else:
            found = float(_loss(logits, part.y)) - part.floor
    model.train()
    return min(found, task.worst) if math.isfinite(found) and bool(logits.isfinite().all()) else task.worst


def _loss(logits: Tensor, y: Tensor) -> Tensor:
    return cross_entropy(logits.flatten(0, -2), y.flatten())


def _batches(rng: np.random.Generator, n: int, batch: int) -> Tensor:
    """An epoch's batches, (steps, batch) indices; the few examples left over wait for the next epoch."""
    steps = max(1, n // batch)
    return torch.from_numpy(rng.permutation(n)[: steps * batch]).reshape(steps, -1)


def _epoch(model: nn.Module, optimizer: Any, advance: Any, part: Part, batches: Tensor) -> float:
    """The mean loss of an epoch's steps."""
    total = torch.zeros(())
    for batch in batches:
        advance()
        optimizer.zero_grad()
        loss = _loss(model(part.X[batch]), part.y[batch])
        loss.backward()
        optimizer.step()
        total += loss.detach()
    return float(total) / len(batches)


class _Advance:
    """Sets rate and momentum before each step as a Schedule says."""

    def __init__(self, optimizer: torch.optim.Optimizer, schedule: Schedule | None) -> None:
        self.groups, self.schedule, self.t = optimizer.param_groups, schedule, 0
        self.peaks = [group["lr"] for group in self.groups]

    def __call__(self) -> None:
        if self.schedule is None:
            return
        self.t += 1
        for group, peak in zip(self.groups, self.peaks, strict=True):
            group["lr"] = peak * self.schedule.factor(self.t)
            if self.schedule.momentum is None:
                continue
            momentum = self.schedule.momentum(self.t)
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums are of one order, and networks so small gain nothing from more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


# The tasks

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
    train, valid = rest[:n], rest[808:]
    wrong = torch.from_numpy((rng.random(n) < noise) * 1)
    labels = torch.where(wrong == 1, torch.from_numpy(rng.integers(10, size=n)), y[train])
    test = slice(0, TEST_DIGITS)
    return Parts(Part(X[train], labels), Part(X[valid], y[valid]), Part(X[test], y[test]))


@lru_cache(8)
def sentences(seed: int, n: int = 512) -> Parts:
    """A generated language, which the seed draws: n sentences to learn from, n / 2 to choose by, n to judge by."""
    text = grammar(seed, sentences=5 * n // 2 + 1)

    def part(first: int, last: int) -> Part:
        stretch = slice(
            first * text.period, last * text.period + 1
        )  # the last target begins the next sentence
        cut = replace(text, tokens=text.tokens[stretch], surprisal=text.surprisal[stretch])
        X, y = cut.windows(text.period)
        return Part(torch.tensor(X), torch.tensor(y), cut.floor(text.period))

    return Parts(part(0, n), part(n, 3 * n // 2), part(3 * n // 2, 5 * n // 2))


def small_mlp(seed: int) -> nn.Module:
    """One hidden layer of 32, tanh."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        return torch_mlp((64, 32, 10))


def small_lstm(seed: int) -> nn.Module:
    """One LSTM layer of width 32 over 57 words."""
    return lstm_model(57, width=32, seed=seed)


def digits_conv(seed: int) -> nn.Module:
    """Three convolutions with batch norm, 8, 16 and 32 channels."""
    return nn.Sequential(nn.Unflatten(1, (1, 8, 8)), conv_net(1, 10, 8, width=8, seed=seed))


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task("digits-mlp", digits, small_mlp, batch=32, epochs=15),
        Task("digits-conv", digits, digits_conv, batch=32, epochs=10),
        Task("text-lstm", sentences, small_lstm, batch=16, epochs=8, metric="nats", worst=2.0),
    )
}
