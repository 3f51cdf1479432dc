"""What efficient layers buy: accuracy against multiply-adds and parameters, on one image task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mlsys.core import generator
from mlsys.core.checks import positive, whole
from mlsys.data import Dataset, images, load
from mlsys.inference.layers.classifiers import PARTS, classifier
from mlsys.inference.layers.counting import counted
from mlsys.optim import Adam

NETS = tuple((kind, 1.0) for kind in PARTS)


class Outcome(NamedTuple):
    """accuracy : share of held-out images named rightly;  multiply_adds : an image;  parameters : of the whole net."""

    kind: str
    multiplier: float
    accuracy: float
    multiply_adds: int
    parameters: int


def accuracy_against_cost(
    seed: int,
    nets: Sequence[tuple[str, float]] = NETS,
    n: int = 3000,
    epochs: int = 8,
    lr: float = 3e-3,
    batch: int = 50,
) -> list[Outcome]:
    """Each net, (kind, width multiplier), trained by Adam on the generated shapes: 3/4 of n to learn from.

    seed : draws data, split, weights and batches; all nets see the same images in the same order. The rate falls
    linearly to 0. One thread, so that the numbers do not depend on how many there are.
    Raises ValueError for an unknown kind, and FloatingPointError if a loss is not finite.
    """
    split = load("shapes", seed=seed, n=n).split(seed=seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [_outcome(seed, net, split.train, split.test, epochs, lr, batch) for net in nets]
    finally:
        torch.set_num_threads(threads)


def _outcome(
    seed: int, net: tuple[str, float], train: Dataset, test: Dataset, epochs: int, lr: float, batch: int
) -> Outcome:
    model = classifier(*net, seed=seed)
    X, y = tensors(train)
    _train(model, X, y, seed, whole(1, epochs=epochs), positive(lr=lr), whole(2, batch=batch))
    X, y = tensors(test)
    model.eval()
    with torch.no_grad():
        right = torch.cat([model(part).argmax(1) for part in X.split(250)]) == y
    cost = counted(model, X[:1])
    return Outcome(*net, float(right.double().mean()), cost.multiply_adds, parameters(model))


def tensors(dataset: Dataset) -> tuple[Tensor, Tensor]:
    """Images (n, c, h, w) in float32, their mean grey at 0, and labels (n,)."""
    return torch.tensor(images(dataset) - 0.5, dtype=torch.float32), torch.tensor(dataset.y)


def parameters(model: nn.Module) -> int:
    """All that is learnt, biases and norms included."""
    return sum(p.numel() for p in model.parameters())


def _train(model: nn.Module, X: Tensor, y: Tensor, seed: int, epochs: int, lr: float, batch: int) -> None:
    optimizer, rng = Adam(model.parameters(), lr=lr), generator(seed, "layers", "batches")
    steps = max(1, len(y) // batch)
    for t in range(epochs * steps):
        if t % steps == 0:
            order = torch.from_numpy(rng.permutation(len(y)))
        rows = order[t % steps * batch :][:batch]
        for group in optimizer.param_groups:
            group["lr"] = lr * (1 - t / (epochs * steps))
        optimizer.zero_grad()
        loss = cross_entropy(model(X[rows]), y[rows])
        if not loss.isfinite():
            raise FloatingPointError(f"the loss is {float(loss)} at step {t}; lower lr = {lr}.")
        loss.backward()
        optimizer.step()
