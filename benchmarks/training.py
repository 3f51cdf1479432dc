"""Whole steps of training: zero_grad, forward, backward, step; ours against torch's best optimiser."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

import mlsys.optim as ours
from benchmarks.race import Contention, Row, compare, seconds

# No slower than torch's best; 2 % for the noise of two runs of the same code, as for the fused kernels.
GOAL = 0.98


def perceptron() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """784-1024-1024-10 on 64 images: 1.9M parameters in 6 tensors, so that the step is a good part of the work."""
    layers = [nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10)]
    return nn.Sequential(*layers), torch.randn(64, 784), torch.randint(10, (64,))


class Block(nn.Module):
    """Two convolutions with batch norms and a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        one, two = (nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in range(2))
        self.path = nn.Sequential(one, nn.BatchNorm2d(width), nn.ReLU(), two, nn.BatchNorm2d(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.path(x))


def convolutional() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """A residual net of 12 blocks on 8 x 8 images, channels last: 77 tensors, most of them small."""
    layers = [
        nn.Conv2d(1, 32, 3, padding=1),
        *(Block(32) for _ in range(12)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ]
    net: nn.Module = nn.Sequential(*layers, nn.Linear(32, 10))
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return net, torch.randn(32, 1, 8, 8), torch.randint(10, (32,))


NETWORKS = {"perceptron": perceptron, "residual net": convolutional}
OPTIMISERS: dict[str, tuple[Any, Any, dict[str, Any], bool]] = {
    "momentum": (ours.SGD, torch.optim.SGD, {"lr": 1e-3, "momentum": 0.9}, True),
    "rmsprop": (ours.RMSprop, torch.optim.RMSprop, {"lr": 1e-4}, False),
    "adam": (ours.Adam, torch.optim.Adam, {"lr": 1e-4}, True),
}


def trainer(
    net: nn.Module, x: torch.Tensor, y: torch.Tensor, make: Callable[[Any], Any]
) -> Callable[[], None]:
    """One step of training of an own copy of the network."""
    net = copy.deepcopy(net)
    optimiser = make(net.parameters())

    def step() -> None:
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimiser.step()

    return step


def race(network: str, name: str, quick: bool) -> Iterator[Row]:
    """One network with one optimiser; the goal is set against the fastest of torch's paths."""
    torch.manual_seed(0)
    net, x, y = NETWORKS[network]()
    mine, theirs, arguments, fused = OPTIMISERS[name]
    makers = {"mlsys": partial(mine, **arguments)}
    paths = {
        "torch loop": {"foreach": False},
        "torch foreach": {"foreach": True},
        "torch fused": {"fused": True},
    }
    for path, argument in paths.items():
        if fused or path != "torch fused":
            makers[path] = partial(theirs, **arguments, **argument)
    candidates = {who: trainer(net, x, y, make) for who, make in makers.items()}
    with Contention() as others:
        times = seconds(candidates, 8 if quick else 80, {})
    about: dict[str, Any] = {"race": "training step", "metric": "step_s", "contention": others.share}
    peers = [path for path in makers if path != "mlsys"]
    best = min(peers, key=lambda path: np.median(times[path]))
    for path in peers:
        goal = GOAL if path == best else None
        yield compare(times, "mlsys", path, case=f"{network}, {name}", goal=goal, **about)


def run(quick: bool) -> Iterator[Row]:
    """Each network with each optimiser."""
    for network in NETWORKS:
        for name in OPTIMISERS:
            yield from race(network, name, quick)
