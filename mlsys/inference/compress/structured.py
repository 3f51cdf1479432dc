"""Structured pruning: whole channels go, so that the net that is left is a smaller dense one, faster everywhere."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from mlsys.inference.compress.pruning import least, share
from mlsys.quant.grid import finite

ZERO_TO_ZERO = (  # a channel that is zero stays zero through them
    nn.ReLU,
    nn.ReLU6,
    nn.Tanh,
    nn.GELU,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.Flatten,
    nn.Unflatten,
    nn.Identity,
    nn.Dropout,
)
Layer = nn.Linear | nn.Conv2d


def kept_channels(model: nn.Module, sparsity: float) -> dict[int, Tensor]:
    """For each layer of the chain but the last: the channels that are kept, in order; by place in the chain.

    Those of least norm go: the sum of magnitudes of a channel's weights, round(sparsity n) of n, at least one stays
    (Li et al., 2017). The last layer's outputs are the answer and all stay.
    Raises TypeError if the model is not a chain: a Sequential of Linear, Conv2d (of one group), BatchNorm and what
    keeps zeros zero; ValueError for a sparsity outside [0, 1] or weights that are not finite.
    """
    share(sparsity=sparsity)
    kept = {}
    for i in layers(model)[:-1]:
        layer: Any = chain(model)[i]
        w = layer.weight.detach()
        finite(weight=w)
        keep = least(w.abs().flatten(1).sum(1), min(sparsity, 1 - 1 / len(w)))
        kept[i] = keep.nonzero().flatten()
    return kept


def mask_channels(model: nn.Module, kept: dict[int, Tensor]) -> nn.Module:
    """A copy whose other channels are zero: weights, biases and the norms after them."""
    net = copy.deepcopy(model)
    for i, channels in kept.items():
        for part in (chain(net)[i], *norms(net, i)):
            gone = torch.ones(len(part.weight), dtype=torch.bool)
            gone[channels] = False
            with torch.no_grad():
                for p in part.parameters():
                    p[gone] = 0
    return net


def remove_channels(model: nn.Module, kept: dict[int, Tensor]) -> nn.Module:
    """A copy without the other channels, equal in its outputs to mask_channels: rows go here, columns in the next."""
    net = copy.deepcopy(model)
    order = layers(net)
    for i, channels in kept.items():
        layer: Any = chain(net)[i]
        after: Any = chain(net)[order[order.index(i) + 1]]
        before = len(layer.weight)
        for part in (layer, *norms(net, i)):
            for name, tensor in (*part.named_parameters(), *part.named_buffers()):
                if tensor.ndim:  # not the count of batches
                    _set(part, name, tensor.detach()[channels])
        # Flatten lays out all positions of a channel together.
        columns = after.weight.detach().unflatten(1, (before, -1))[:, channels].flatten(1, 2)
        _set(after, "weight", columns)
        _sized(net, i)
        _sized(net, order[order.index(i) + 1])
    return net


def chain(model: nn.Module) -> nn.Sequential:
    """The model, if it is a chain whose channels can be followed. Raises TypeError if it is not."""
    if not isinstance(model, nn.Sequential):
        raise TypeError(f"channels are removed from an nn.Sequential; got {type(model).__name__}.")
    for part in model:
        grouped = isinstance(part, nn.Conv2d) and part.groups != 1
        if grouped or not isinstance(
            part, (*ZERO_TO_ZERO, nn.Linear, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d)
        ):
            raise TypeError(f"no channel can be followed through {part}. Leave this model to masks.")
    return model


def layers(model: nn.Module) -> list[int]:
    """The places of the linear and convolutional layers in the chain."""
    return [i for i, part in enumerate(chain(model)) if isinstance(part, Layer)]


def norms(model: nn.Module, i: int) -> list[Any]:
    """The batch norms between layer i and the next."""
    after = [j for j in layers(model) if j > i]
    between = list(chain(model))[i + 1 : after[0] if after else None]
    return [part for part in between if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)]


def _set(part: nn.Module, name: str, value: Tensor) -> None:
    value = value.clone()
    setattr(part, name, nn.Parameter(value) if name in dict(part.named_parameters()) else value)


def _sized(model: nn.Module, i: int) -> None:
    """Make what the layer says of itself true again."""
    layer: Any = chain(model)[i]
    out, into = layer.weight.shape[:2]
    if isinstance(layer, nn.Linear):
        layer.out_features, layer.in_features = out, into
    else:
        layer.out_channels, layer.in_channels = out, into
    for norm in norms(model, i):
        norm.num_features = out
