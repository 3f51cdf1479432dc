"""What a layer costs: multiply-adds and parameters, by formula and as counted while a module runs.

A multiply-add is one product and one sum of real numbers. What is counted is convolutions and linear maps; biases,
norms and activations, one pass over memory each, are not. A transform of k real numbers counts as 1.25 * k * log2(k)
multiply-adds (half the customary 2.5 * k * log2(k) operations of an FFT) and a complex product that is summed as 4.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mlsys.core.checks import whole
from mlsys.inference.layers.circulant import CirculantLinear


class Cost(NamedTuple):
    """multiply_adds : for one example;  parameters : weights that are learnt, without biases and norms."""

    multiply_adds: int
    parameters: int


def conv_cost(
    inputs: int, outputs: int, kernel: int, positions: int, groups: int = 1, batch: int = 1
) -> Cost:
    """positions * outputs * (inputs / groups) * kernel**2 multiply-adds; positions: pixels of the output."""
    parameters = outputs * (inputs // groups) * kernel**2
    return Cost(batch * positions * parameters, parameters)


def separable_cost(inputs: int, outputs: int, kernel: int, positions: int) -> Cost:
    """positions * inputs * (kernel**2 + outputs) multiply-adds."""
    parameters = inputs * (kernel**2 + outputs)
    return Cost(positions * parameters, parameters)


def circulant_cost(inputs: int, outputs: int, block: int, vectors: int = 1) -> Cost:
    """(q + p) transforms of k and 4 * p * q * (k/2 + 1) multiply-adds a vector; p * q * k parameters. p = q = 1 needs
    only one complex product a frequency, which counts the same."""
    p, q, k = outputs // block, inputs // block, whole(1, block=block)
    transform = round(1.25 * k * math.log2(k))
    return Cost(vectors * ((p + q) * transform + 4 * p * q * (k // 2 + 1)), p * q * k)


def counted(module: nn.Module, example: Tensor) -> Cost:
    """The cost of module(example) for one example of its batch, counted by hooks while it runs.

    example : (b, …). What a layer does is seen from the shapes that reach it, so that a layer used twice counts twice
    and one never reached not at all; its parameters count once. The module is left as it was, its mode included.
    Raises ValueError if example is empty.
    """
    if not example.numel():
        raise ValueError(f"example must hold at least one example; got shape {tuple(example.shape)}.")
    total, weights = 0, dict[int, int]()

    def see(layer: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += _multiply_adds(layer, inputs[0], output)
        weights[id(layer.weight)] = layer.weight.numel()

    hooks = [
        part.register_forward_hook(see)
        for part in module.modules()
        if isinstance(part, (nn.Conv2d, nn.Linear, CirculantLinear))
    ]
    modes = {part: part.training for part in module.modules()}
    try:
        module.eval()  # running means and the like stay as they are
        with torch.no_grad():
            module(example)
    finally:
        for hook in hooks:
            hook.remove()
        for part, training in modes.items():
            part.training = training
    return Cost(total // len(example), sum(weights.values()))


def _multiply_adds(layer: nn.Module, x: Tensor, y: Tensor) -> int:
    if isinstance(layer, nn.Conv2d):
        return y.numel() * math.prod(layer.weight.shape[1:])
    if isinstance(layer, nn.Linear):
        return y.numel() * layer.in_features
    assert isinstance(layer, CirculantLinear)
    return circulant_cost(layer.inputs, layer.outputs, layer.block, x.numel() // layer.inputs).multiply_adds
