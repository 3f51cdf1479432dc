"""Whole steps of training: zero_grad, forward, backward, step; ours against torch's best optimiser."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

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
    net = nn.Sequential(*layers, nn.Linear(32, 10)).to(memory_format=torch.channels_last)
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


def run(quick: bool) -> Iterator[Row]:
    """Each network with each optimiser."""
    for network, build in NETWORKS.items():
        torch.manual_seed(0)
        net, x, y = build()
        for name, (mine, theirs, arguments, fused) in OPTIMISERS.items():
            candidates = {"mlsys": trainer(net, x, y, lambda p, m=mine, a=arguments: m(p, **a))}
            paths: dict[str, dict[str, bool]] = {
                "torch loop": {"foreach": False},
                "torch foreach": {"foreach": True},
            }
            for path, argument in {**paths, **({"torch fused": {"fused": True}} if fused else {})}.items():
                options = {**arguments, **argument}
                candidates[path] = trainer(net, x, y, lambda p, t=theirs, o=options: t(p, **o))
            with Contention() as others:
                times = seconds(candidates, 8 if quick else 80, {})
            about = {"race": "training step", "metric": "step_s", "contention": others.share}
            rows = [compare(times, "mlsys", peer, case=f"{network}, {name}", **about) for peer in candidates][
                1:
            ]
            best = min(rows, key=lambda row: row.peer).peer_name
            yield from (
                compare(
                    times, "mlsys", p, case=f"{network}, {name}", goal=GOAL if p == best else None, **about
                )
                for p in list(candidates)[1:]
            )
