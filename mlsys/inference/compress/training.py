"""Training and fine-tuning of the small nets that are compressed: one loop, which leaves its argument alone."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mlsys.core.checks import positive, whole
from mlsys.optim import Adam

EachStep = Callable[[nn.Module, int], None]  # what is done to the net before the first step and after each
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]  # (logits, labels, rows of the batch) -> loss


class Examples(NamedTuple):
    """X (n, d) float32 : inputs;  y (n,) : labels, whole numbers."""

    X: Tensor
    y: Tensor


def labels_alone(logits: Tensor, y: Tensor, rows: Tensor) -> Tensor:
    """Cross-entropy with the labels."""
    return cross_entropy(logits, y)


def fit(
    model: nn.Module,
    examples: Examples,
    rng: np.random.Generator,
    epochs: int = 5,
    lr: float = 1e-3,
    batch: int = 32,
    loss: Loss = labels_alone,
    each_step: EachStep | None = None,
) -> nn.Module:
    """A copy of the model, trained further by Adam, in evaluation mode; the model itself is not changed.

    rng : draws the order of the examples;  the few left over wait for the next epoch
    each_step(net, t) : called for t = 0 before the first step, and after step t
    Raises ValueError if there are no examples, FloatingPointError if the loss is not finite.
    """
    n, size = len(examples.y), whole(1, batch=batch)
    if not n:
        raise ValueError("examples must hold at least one row; got none.")
    net = copy.deepcopy(model).train()
    optimizer = Adam(net.parameters(), lr=positive(lr=lr))
    steps, t = max(1, n // size), 0
    each_step = each_step or (lambda net, t: None)
    each_step(net, 0)
    for _ in range(whole(epochs=epochs)):
        for rows in torch.from_numpy(rng.permutation(n)[: steps * size]).chunk(steps):
            optimizer.zero_grad()
            value = loss(net(examples.X[rows]), examples.y[rows], rows)
            if not value.isfinite():
                raise FloatingPointError(f"the loss is {value.item()} at step {t + 1}. Lower lr = {lr}.")
            value.backward()
            optimizer.step()
            t += 1
            each_step(net, t)
    return net.eval()


def total_steps(examples: Examples, epochs: int, batch: int = 32) -> int:
    """How many steps `fit` takes."""
    return epochs * max(1, len(examples.y) // batch)


def logits(model: nn.Module, X: Tensor) -> Tensor:
    """The model's outputs in evaluation mode, without a tape; its mode is given back."""
    training = model.training
    model.eval()
    with torch.no_grad():
        out = model(X)
    model.train(training)
    return out


def accuracy(model: nn.Module, examples: Examples) -> float:
    """The share of labels that have the largest logit; a row with NaN counts as missed."""
    out = logits(model, examples.X)
    right = (out.argmax(1) == examples.y) & out.isfinite().all(1)
    return float(right.double().mean())
