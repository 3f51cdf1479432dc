"""Quantisation-aware training: the net learns with the rounding in its forward pass, and is then converted."""

from __future__ import annotations

import copy
from typing import Any

from torch import Tensor, nn

from mlsys.inference.compress.quantised import (
    ACTIVATIONS,
    QuantisedLayer,
    applied,
    narrow,
    put,
    targets,
    window_of,
)
from mlsys.quant import Grid, MovingAverage, Observer, calibrate, grid_of
from mlsys.quant.fake import fake_quantise


class FakeQuantisedLayer(nn.Module):
    """A layer that computes in float with the values that int8 would have: W and x are fake-quantised at each call.

    The weights' grid is that of their present min and max, the activations' that of a moving average over the
    batches of training; evaluation leaves it as it is. Source: Jacob et al. (2018).
    """

    observer: Observer

    def __init__(self, layer: nn.Module, per_channel: bool = True, bits: int = 8) -> None:
        super().__init__()
        self.window, self.layer = window_of(layer), layer
        self.per_channel, self.bits = per_channel, narrow(bits)
        self.observer = MovingAverage(rate=0.05)

    def grids(self) -> tuple[Grid, Grid]:
        """(of the weights, of the inputs). Raises ValueError if no batch was seen in training mode."""
        weight: Any = self.layer.weight
        of_weight = calibrate(weight, self.bits, axis=0 if self.per_channel else None)
        return of_weight, grid_of(*self.observer.range(), scheme=ACTIVATIONS)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.observer = self.observer.observe(x)
        of_weight, of_x = self.grids()
        weight, bias = (getattr(self.layer, name) for name in ("weight", "bias"))
        return applied(self.window, fake_quantise(x, of_x), fake_quantise(weight, of_weight), bias)


def prepare(model: nn.Module, per_channel: bool = True, bits: int = 8) -> nn.Module:
    """A copy whose linear and convolutional layers are FakeQuantisedLayers: train it, then convert it.

    per_channel, bits : of the weights, as in quantise_model. Fold batch norms first. Raises as quantise_model does.
    """
    net = copy.deepcopy(model)
    for name, layer in targets(net).items():
        put(net, name, FakeQuantisedLayer(layer, per_channel, bits))
    return net


def convert(model: nn.Module) -> nn.Module:
    """The prepared model in int8, static: its outputs are those of the fake-quantised one, but for the rounding of
    float sums. Raises ValueError if it was not prepared, or saw no batch in training mode."""
    net = copy.deepcopy(model).eval()
    found = {name: m for name, m in net.named_modules() if isinstance(m, FakeQuantisedLayer)}
    if not found:
        raise ValueError("the model holds no fake-quantised layer. prepare(model), train it, then convert.")
    for name, fake in found.items():
        put(net, name, QuantisedLayer(fake.layer, *fake.grids(), "static"))
    return net
