"""Models to serve, seeded, on the CPU: float32 rows in, float32 rows out.

digits-mlp : an MLP on the bundled digits, trained here in about a second; real answers, little work
wide-mlp:WIDTH : two hidden layers of so many units, untrained. At batch 1 its weights are read from memory once for
two operations a number, so the memory is the bound and a larger batch is nearly free, until arithmetic is
conv-net:WIDTH : a residual conv net on 32 x 32 images, untrained. Each weight is used at every pixel, so arithmetic
is the bound at batch 1 already, and a batch of b takes nearly b times as long
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from mlsys.core import iterate
from mlsys.core.checks import whole
from mlsys.core.seeds import generator
from mlsys.data import load
from mlsys.inference.serve.served import Predict, Served, named
from mlsys.models import MLP, torch_mlp
from mlsys.models.networks import conv_net
from mlsys.optim import adam, sgd


def of_module(module: nn.Module, shape: tuple[int, ...]) -> Predict:
    """The module's forward pass without gradients; rows are reshaped to (b, *shape)."""
    module.eval()

    def predict(x: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return module(torch.from_numpy(x).reshape(len(x), *shape)).numpy()

    return predict


def _seeded(sizes: tuple[int, ...], seed: int) -> nn.Sequential:
    """torch_mlp with weights of variance 1 / in and zero biases, from this seed alone."""
    with torch.device("meta"):
        net = torch_mlp(sizes)
    net.to_empty(device="cpu")
    rng = torch.Generator().manual_seed(whole(seed=seed))
    for part in net:
        if isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=part.in_features**-0.5, generator=rng)
            nn.init.zeros_(part.bias)
    return net


def digits_mlp(seed: int = 0, epochs: int = 60) -> Served:
    """64 pixels, 0 to 16, -> 10 logits; 95 to 97 % of the held-out quarter of the digits right, in about a second."""
    train = load("digits").split(seed=seed).train
    objective, rng = MLP(train.X / 16, train.y, hidden=(64,)), generator(seed, "digits-mlp")
    descent = sgd(objective, adam(3e-3), batch_size=32, replace=False)
    for state, _ in iterate(descent, objective.start(rng), rng, epochs * len(train) // 32):
        w = state.x
    net = torch_mlp(objective.sizes)
    nn.utils.vector_to_parameters(torch.from_numpy(w).float(), net.parameters())
    forward = of_module(net, (64,))
    return Served("digits-mlp", 64, 10, lambda x: forward(x / np.float32(16)))


def wide_mlp(width: int = 4096, seed: int = 0) -> Served:
    """64 numbers -> width -> width -> 10; 4 (width**2 + 76 width + 10) bytes of weights and biases."""
    net = _seeded((64, whole(1, width=width), width, 10), seed)
    return Served(f"wide-mlp:{width}", 64, 10, of_module(net, (64,)))


def served_conv_net(width: int = 32, seed: int = 0) -> Served:
    """A 32 x 32 grey image as 1,024 numbers -> 10 logits, through two residual blocks a stage."""
    net = conv_net(1, 10, 32, width, blocks=2, seed=seed)
    return Served(f"conv-net:{width}", 1024, 10, of_module(net, (1, 32, 32)))


_MAKE: dict[str, Callable[..., Served]] = {
    "digits-mlp": digits_mlp,
    "wide-mlp": wide_mlp,
    "conv-net": served_conv_net,
}


def model(name: str, seed: int = 0) -> Served:
    """The model of this name, such as digits-mlp, wide-mlp or wide-mlp:2048. Raises ValueError for any other."""
    kind, width = named(name)
    return _MAKE[kind](seed=seed) if width is None else _MAKE[kind](width, seed=seed)
