"""The small net that the tests quantise, and its inputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mlsys.core import generator


def chain(seed: int = 0) -> nn.Sequential:
    """Convolutions with padding and strides, with and without bias, two linear layers."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Unflatten(1, (2, 6, 6)),
            nn.Conv2d(2, 8, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 4, (3, 2), stride=(2, 1), padding=(0, 1), bias=False),
            nn.Tanh(),
            nn.Flatten(),
            nn.Linear(56, 12),
            nn.ReLU(),
            nn.Linear(12, 5),
        ).eval()


def inputs(n: int = 30, seed: int = 0) -> Tensor:
    return torch.tensor(generator(seed, "chain inputs").standard_normal((n, 72)) + 0.5, dtype=torch.float32)
