"""Models in int8: reference layers whose integer arithmetic is exact, made from a float model and calibration data.

Weights are symmetric int8, activations affine uint8 of one scale: the convention that CPUs' instructions have.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from mlsys.core.checks import whole
from mlsys.quant import (
    Grid,
    MinMax,
    Observer,
    calibrate,
    dequantise,
    dequantised_product,
    grid_of,
    levels,
    quantise,
)
from mlsys.quant.grid import finite

MODES = ("weight-only", "dynamic", "static")
ACTIVATIONS = "unsigned"  # their scheme


class QuantisedLayer(nn.Module):
    """A linear or convolutional layer whose weights are int8, and by mode also what they are multiplied with.

    weight-only : the weights are dequantised, the product is in floating point: fewer bytes, the same arithmetic
    dynamic : each call's activations get the grid of their own min and max
    static : they get the grid that calibration chose; what lies outside saturates
    Integers are multiplied, summed in int32, corrected for the zero point, scaled once, and the float bias added.
    """

    weight: Tensor  # int8, of the layer's shape
    scale: Tensor  # float32, () or (out,)
    bias: Tensor | None
    x_scale: Tensor | None  # float32, (), of static layers
    x_zero: Tensor | None

    def __init__(
        self, layer: nn.Module, weight_grid: Grid, x_grid: Grid | None = None, mode: str = "dynamic"
    ) -> None:
        super().__init__()
        self.mode, self.window = mode, window_of(layer)
        weight: Any = layer.weight
        bias: Any = layer.bias
        self.register_buffer("weight", quantise(weight.detach(), weight_grid))
        self.register_buffer("scale", torch.from_numpy(np.array(weight_grid.scale)))
        self.register_buffer("bias", None if bias is None else bias.detach().clone())
        for name, array in zip(("x_scale", "x_zero"), x_grid[:2] if x_grid else (None, None), strict=True):
            self.register_buffer(name, None if array is None else torch.from_numpy(np.array(array)))

    @property
    def weight_grid(self) -> Grid:
        scale = self.scale.numpy().astype(np.float32)
        return Grid(scale, np.zeros(scale.shape, np.int32), -127, 127, 0 if scale.ndim else None)

    @property
    def x_grid(self) -> Grid | None:
        """Of the activations, if it was chosen beforehand."""
        if self.x_scale is None or self.x_zero is None:
            return None
        return Grid(self.x_scale.numpy().astype(np.float32), self.x_zero.numpy(), *levels(8, ACTIVATIONS))

    def forward(self, x: Tensor) -> Tensor:
        if self.mode == "weight-only":
            weight = dequantise(self.weight, self.weight_grid).to(x.dtype)
            return applied(self.window, x, weight, self.bias)
        grid = self.x_grid or calibrate(x, scheme=ACTIVATIONS)
        if self.window:
            (top, left), stride, kernel = self.window["padding"], self.window["stride"], self.weight.shape[2:]
            q = quantise(F.pad(x, (left, left, top, top)), grid)  # 0 is the zero point, exactly
            for axis in (0, 1):
                q = q.unfold(2 + axis, kernel[axis], stride[axis])
            places = q.permute(0, 2, 3, 1, 4, 5).flatten(3)  # (b, h, w, in kh kw)
        else:
            places = quantise(x, grid)
        out = self._product(places.flatten(0, -2), grid, str(x.dtype).removeprefix("torch."))
        out = out.unflatten(0, places.shape[:-1])
        return out.movedim(-1, 1) if self.window else out

    def _product(self, rows: Tensor, grid: Grid, dtype: str) -> Tensor:
        columns = self.weight.flatten(1).T
        by_column = self.weight_grid._replace(axis=None if self.weight_grid.axis is None else 1)
        out = dequantised_product(rows, grid, columns, by_column, dtype)
        return out if self.bias is None else out + self.bias


def quantise_model(
    model: nn.Module,
    mode: str,
    batches: Iterable[Tensor] | None = None,
    per_channel: bool = True,
    clip: str = "min-max",
    observer: Observer | None = None,
    bits: int = 8,
) -> nn.Module:
    """A copy in evaluation mode whose linear and convolutional layers are QuantisedLayers; the rest stays in float.

    mode : one of MODES;  batches : inputs to calibrate by, for static alone;  per_channel : a scale an output
    channel of the weights, or one a layer;  clip : how the weights' ranges are chosen (mlsys.quant.CLIPS)
    observer : what is remembered of each layer's inputs, MinMax() if not given;  bits : of the weights, 2 … 8
    Fold batch norms first (`fold_norms`): they then cost nothing.
    Raises ValueError for an unknown mode, for calibration data that is missing or superfluous, and, with the counts
    and the layer's name, for weights or activations that are not finite; TypeError for a layer of several groups.
    """
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}; got {mode!r}.")
    if (batches is not None) != (mode == "static"):
        raise ValueError(
            f"batches are for static quantisation, which needs them; got mode={mode!r}, batches={batches!r:.40}."
        )
    net = copy.deepcopy(model).eval()
    seen = {} if batches is None else observe(net, batches, observer or MinMax())
    for name, layer in targets(net).items():
        with named(name):
            weight: Any = layer.weight
            weight_grid = calibrate(weight, narrow(bits), axis=0 if per_channel else None, clip=clip)
            x_grid = grid_of(*seen[name].range(), scheme=ACTIVATIONS) if mode == "static" else None
            put(net, name, QuantisedLayer(layer, weight_grid, x_grid, mode))
    return net


def observe(model: nn.Module, batches: Iterable[Tensor], observer: Observer) -> dict[str, Observer]:
    """What the observer has seen of each layer's input while the batches passed, by the layer's name."""
    seen = dict.fromkeys(targets(model), observer)

    def see(name: str) -> Any:
        def hook(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            with named(f"the input of {name}"):
                seen[name] = seen[name].observe(inputs[0])

        return hook

    hooks = [layer.register_forward_pre_hook(see(name)) for name, layer in targets(model).items()]
    try:
        with torch.no_grad():
            for batch in batches:
                finite(batches=batch)
                model(batch)
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def fold_norms(model: nn.Module) -> nn.Module:
    """A copy in evaluation mode whose batch norms are folded into the layers before them, where a Sequential holds
    both: W <- W gamma / sqrt(var + eps), b <- (b - mean) gamma / sqrt(var + eps) + beta. The outputs are the same."""
    net = copy.deepcopy(model).eval()
    for part in [m for m in net.modules() if isinstance(m, nn.Sequential)]:
        for i in range(len(part) - 1, 0, -1):
            before, norm = part[i - 1], part[i]
            if isinstance(before, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                part[i - 1], part[i] = fuse_conv_bn_eval(before, norm), nn.Identity()
            elif isinstance(before, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
                part[i - 1], part[i] = fuse_linear_bn_eval(before, norm), nn.Identity()
    return net


def targets(model: nn.Module) -> dict[str, nn.Module]:
    """The layers that are quantised, by name. Raises ValueError if there are none."""
    found = {name: m for name, m in model.named_modules() if type(m) in (nn.Linear, nn.Conv2d)}
    if not found or "" in found:
        raise ValueError(
            f"a model that holds nn.Linear or nn.Conv2d layers is quantised; got {type(model).__name__}. "
            "Wrap a single layer in nn.Sequential."
        )
    return found


def narrow(bits: int) -> int:
    """The bits of weights, checked: int8 holds them."""
    if whole(2, bits=bits) > 8:
        raise ValueError(f"bits must be <= 8; got {bits}. The products here are of 8-bit integers.")
    return bits


def put(model: nn.Module, name: str, layer: nn.Module) -> None:
    """Set the layer of this name."""
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, layer)


@contextmanager
def named(layer: str) -> Iterator[None]:
    """Say of which layer an error speaks."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{layer}: {error}") from error


def window_of(layer: nn.Module) -> dict[str, Any]:
    """stride and padding of a convolution; empty for a linear layer."""
    if isinstance(layer, nn.Linear):
        return {}
    if not isinstance(layer, nn.Conv2d) or layer.groups != 1 or layer.dilation != (1, 1):
        raise TypeError(
            f"only Linear and Conv2d of one group, without dilation, are quantised here; got {layer}."
        )
    if isinstance(layer.padding, str) or layer.padding_mode != "zeros":
        raise TypeError(f"padding must be numbers of zeros; got {layer}.")
    return {"stride": layer.stride, "padding": layer.padding}


def applied(window: dict[str, Any], x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    bias = None if bias is None else bias.to(x.dtype)
    return F.conv2d(x, weight, bias, **window) if window else F.linear(x, weight, bias)
