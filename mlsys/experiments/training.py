"""Training: `train(task, seed, make)` is the curve of a run, an epoch a row.

A task is data, network, batch size, epochs and what is judged. What is judged is always an *error*, lower is better:
the share of held-out labels missed, or nats above the entropy of the source, which no model can go below.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mlsys.core import generator
from mlsys.optim import Scheduler
from mlsys.optim.schedules import Schedule

LOSS_CAP = 100.0  # nats: the training loss of a run that diverged, and the most that any run is given
CHUNK = 1000  # examples judged at once
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
    vary : (rng, inputs) -> inputs, what a training batch goes through, as crops and mirror images;  device : torch's
    dataclasses.replace(task, batch=256) is the same task with another batch size.
    """

    name: str
    parts: Callable[[int], Parts]
    network: Callable[[int], nn.Module]
    batch: int
    epochs: int
    metric: Literal["accuracy", "nats"] = "accuracy"
    worst: float = 1.0
    vary: Callable[[np.random.Generator, np.ndarray], np.ndarray] | None = None
    device: str = "cpu"

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
        scheduler = schedule and Scheduler(optimizer, schedule(task.steps(seed, epochs)))
        losses, errors = np.full(epochs, LOSS_CAP), np.full(epochs, task.worst)
        rng = generator(seed, "tasks", task.name, "batches")
        for epoch in range(epochs):
            loss = _epoch(task, model, (optimizer, scheduler), parts.train, rng)
            if not loss < LOSS_CAP:
                break
            losses[epoch], errors[epoch] = loss, error(task, model, held_out)
    return Curve(losses, errors)


def started(task: Task, seed: int) -> nn.Module:
    """The task's network at its random start, the same for every optimiser."""
    return task.network(int(generator(seed, "tasks", task.name, "start").integers(2**62))).to(task.device)


def error(task: Task, model: nn.Module, part: Part) -> float:
    """The error on a part, at most the task's worst."""
    model.eval()
    total, finite = 0.0, True
    with torch.no_grad():
        for X, y in zip(part.X.split(CHUNK), part.y.split(CHUNK), strict=True):
            logits, labels = model(X.to(task.device)), y.to(task.device)
            finite = finite and bool(logits.isfinite().all())
            if task.metric == "accuracy":
                total += float((logits.argmax(-1) != labels).sum()) / part.y.numel()
            else:
                total += float(_loss(logits, labels)) * y.numel() / part.y.numel()
    model.train()
    return min(total - part.floor, task.worst) if finite and math.isfinite(total) else task.worst


def _loss(logits: Tensor, y: Tensor) -> Tensor:
    return cross_entropy(logits.flatten(0, -2), y.flatten())


def _epoch(
    task: Task, model: nn.Module, update: tuple[Any, Any], part: Part, rng: np.random.Generator
) -> float:
    """The mean loss of an epoch's steps; the few examples left over wait for the next epoch."""
    optimizer, scheduler = update
    n = len(part.y)
    steps = max(1, n // task.batch)
    total = torch.zeros((), device=task.device)
    for batch in torch.from_numpy(rng.permutation(n)[: steps * task.batch]).reshape(steps, -1):
        X, y = part.X[batch], part.y[batch]
        if task.vary is not None:
            X = torch.from_numpy(np.ascontiguousarray(task.vary(rng, X.numpy())))
        optimizer.zero_grad()
        loss = _loss(model(X.to(task.device)), y.to(task.device))
        loss.backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
        total += loss.detach()
    return float(total) / steps


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums are of one order, and networks so small gain nothing from more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
