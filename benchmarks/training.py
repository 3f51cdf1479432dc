"""Whole steps of training: zero_grad, forward, backward, step; ours against torch's best optimiser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

import mlsys.optim as ours
from benchmarks import fresh
from benchmarks.race import Contention, Row, compare

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


def makers(name: str) -> dict[str, Callable[[Any], torch.optim.Optimizer]]:
    """Ours and each of torch's paths, by who it is."""
    mine, theirs, arguments, fused = OPTIMISERS[name]
    paths = {"torch loop": {"foreach": False}, "torch foreach": {"foreach": True}}
    if fused:
        paths["torch fused"] = {"fused": True}
    own = {"mlsys": partial(mine, **arguments)}
    return own | {path: partial(theirs, **arguments, **argument) for path, argument in paths.items()}


def median_step(network: str, name: str, who: str, steps: int) -> float:
    """Seconds of a whole step of training, the median of `steps` after a few that are not counted."""
    torch.manual_seed(0)
    net, x, y = NETWORKS[network]()
    optimiser = makers(name)[who](net.parameters())
    times = []
    for _ in range(steps + 10):
        began = time.perf_counter()
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimiser.step()
        times.append(time.perf_counter() - began)
    return float(np.median(times[10:]))


def race(network: str, name: str, quick: bool) -> Iterator[Row]:
    """One network with one optimiser; the goal is set against the fastest of torch's paths.

    A process trains with one optimiser, as users' do, and with torch's allocator as it is installed.
    """
    rounds, steps = (1, 20) if quick else (5, 60)
    times: dict[str, list[float]] = {who: [] for who in makers(name)}
    with Contention() as others:
        for r in range(rounds):
            names = list(times)
            for who in names[r % len(names) :] + names[: r % len(names)]:
                arguments = (network, name, who, steps)
                one = fresh.result(__name__, "median_step", *arguments, without=("THP_MEM_ALLOC_ENABLE",))
                times[who].append(one)
    about: dict[str, Any] = {"race": "training step", "metric": "step_s", "contention": others.share}
    table = {who: np.array(t) for who, t in times.items()}
    peers = [who for who in table if who != "mlsys"]
    best = min(peers, key=lambda who: np.median(table[who]))
    for peer in peers:
        goal = GOAL if peer == best else None
        yield compare(table, "mlsys", peer, case=f"{network}, {name}", goal=goal, **about)


def run(quick: bool) -> Iterator[Row]:
    """Each network with each optimiser."""
    for network in NETWORKS:
        for name in OPTIMISERS:
            yield from race(network, name, quick)
