"""Pruning: set the least weights to zero, and keep them there while the others are tuned.

A mask is a bool tensor of a weight's shape, True where it is kept; masks go by the names of the parameters.
Of weights of equal magnitude those that come later are kept, in the order of the parameters, row by row; in 2:4, of
equals in a four, those that come first.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from mlsys.core.checks import real, whole
from mlsys.inference.compress.training import EachStep
from mlsys.quant.grid import finite

Masks = dict[str, Tensor]
Sparsity = Callable[[int], float]  # step -> the share of weights that are zero


def weights(model: nn.Module) -> dict[str, Tensor]:
    """What is pruned: the weights of linear and convolutional layers, not biases or norms."""
    return {
        f"{name}.weight".removeprefix("."): layer.weight.detach()
        for name, layer in model.named_modules()
        if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d)
    }


def share(**named: float) -> float:
    """The one named argument as a float in [0, 1]."""
    number = real(**named)
    if not 0 <= number <= 1:
        ((name, value),) = named.items()
        raise ValueError(f"{name} must lie in [0, 1]; got {value!r}. 0.9 leaves a tenth of the weights.")
    return number


def least(magnitude: Tensor, sparsity: float) -> Tensor:
    """The mask that drops the round(sparsity n) least of a flat tensor; of equals, the earlier first."""
    keep = torch.ones(len(magnitude), dtype=torch.bool)
    keep[magnitude.argsort(stable=True)[: round(sparsity * len(magnitude))]] = False
    return keep


def magnitude_masks(model: nn.Module, sparsity: float, scope: str = "global") -> Masks:
    """Drop the share `sparsity` of weights that is least in magnitude (Han et al., 2015).

    scope : "global" compares all weights of the model, "layer" those of each layer on their own
    Raises ValueError for a sparsity outside [0, 1], an unknown scope, or weights that are not finite (counted).
    """
    share(sparsity=sparsity)
    if scope not in ("global", "layer"):
        raise ValueError(f"scope must be 'global' or 'layer'; got {scope!r}.")
    there = weights(model)
    for w in there.values():
        finite(weight=w)
    if scope == "layer":
        return {name: least(w.abs().flatten(), sparsity).reshape(w.shape) for name, w in there.items()}
    kept = least(torch.cat([w.abs().flatten() for w in there.values()]), sparsity)
    parts = kept.split([w.numel() for w in there.values()])
    return {name: part.reshape(w.shape) for (name, w), part in zip(there.items(), parts, strict=True)}


def two_four_mask(weight: Tensor) -> Tensor:
    """Keep the two largest of every four along the input dimension: weight (out, in, …), in a multiple of 4.

    Of equal magnitudes the first is kept. Sparse tensor cores skip the zeros of this pattern (Mishra et al., 2021).
    Raises ValueError if the inputs do not come in fours, or the weight is not finite.
    """
    finite(weight=weight)
    if weight.ndim < 2 or weight.shape[1] % 4:
        raise ValueError(f"2:4 needs inputs in fours; the weight is {tuple(weight.shape)}. Leave it dense.")
    fours = weight.abs().movedim(1, -1).unflatten(-1, (-1, 4))
    first_two = fours.argsort(dim=-1, descending=True, stable=True)[..., :2]
    keep = torch.zeros(fours.shape, dtype=torch.bool).scatter_(-1, first_two, True)
    return keep.flatten(-2).movedim(-1, 1)


def two_four_masks(model: nn.Module) -> Masks:
    """two_four_mask of every weight whose inputs come in fours; others, as a first layer of one channel, stay dense."""
    return {name: two_four_mask(w) for name, w in weights(model).items() if w.shape[1] % 4 == 0}


def is_two_four(weight: Tensor) -> bool:
    """Whether at most two of every four along the input dimension are not zero."""
    if weight.ndim < 2 or weight.shape[1] % 4:
        return False
    return bool((weight.movedim(1, -1).unflatten(-1, (-1, 4)) != 0).sum(-1).le(2).all())


def apply_(model: nn.Module, masks: Masks) -> None:
    """Set what the masks drop to zero, in place. Raises ValueError for a mask that fits no parameter; then nothing
    is written."""
    there = dict(model.named_parameters())
    for name, mask in masks.items():
        if name not in there or there[name].shape != mask.shape:
            have = tuple(there[name].shape) if name in there else "no such parameter"
            raise ValueError(f"the mask {name!r} is {tuple(mask.shape)}; the model has {have}.")
    with torch.no_grad():
        for name, mask in masks.items():
            there[name].masked_fill_(~mask, 0)


def masked(model: nn.Module, masks: Masks) -> nn.Module:
    """A copy of the model with what the masks drop set to zero."""
    pruned = copy.deepcopy(model)
    apply_(pruned, masks)
    return pruned


def zeros(model: nn.Module) -> float:
    """The share of the prunable weights that are zero."""
    there = weights(model).values()
    return sum(int((w == 0).sum()) for w in there) / sum(w.numel() for w in there)


# Fine-tuning: what `fit` does after each step


def keeping(masks: Masks) -> EachStep:
    """The masks applied anew after each step: an optimiser with momentum moves weights even if their gradient is 0."""
    return lambda net, t: apply_(net, masks)


def pruning(schedule: Sparsity, every: int = 1, scope: str = "global") -> EachStep:
    """Magnitude masks drawn anew at each step t that is a multiple of `every`, at sparsity schedule(t), and kept.

    What was dropped is zero, so the least; it stays dropped while the sparsity does not fall.
    """
    masks: Masks = {}
    whole(1, every=every)

    def each_step(net: nn.Module, t: int) -> None:
        nonlocal masks
        if t % every == 0:
            masks = magnitude_masks(net, schedule(t), scope)
        apply_(net, masks)

    return each_step


def one_shot(final: float) -> Sparsity:
    """All at once, before the first step."""
    share(final=final)
    return lambda t: final


def iterative(final: float, rounds: int, every: int) -> Sparsity:
    """The same share of what is left, `rounds` times, `every` steps apart: s_k = 1 - (1 - final)**(k / rounds).

    The first round is at step 0 (Han et al., 2015; Frankle & Carbin, 2019).
    """
    share(final=final)
    whole(1, rounds=rounds)
    whole(1, every=every)
    return lambda t: 1 - (1 - final) ** (min(t // every + 1, rounds) / rounds)


def cubic(final: float, steps: int, begin: int = 0, initial: float = 0.0) -> Sparsity:
    """s_t = s_f + (s_i - s_f) (1 - (t - t0) / (n dt))**3 from t0 = begin over n dt = steps; s_i before, s_f after.

    Fast while there is much to spare, slow at the end. Source: Zhu & Gupta (2017), To prune, or not to prune.
    Raises ValueError if a sparsity is outside [0, 1] or the final one is below the initial.
    """
    if share(final=final) < share(initial=initial):
        raise ValueError(
            f"final must be >= initial = {initial}; got {final}. What is dropped does not return."
        )
    whole(1, steps=steps)
    whole(begin=begin)

    def sparsity(t: int) -> float:
        rest = 1 - min(max((t - begin) / steps, 0.0), 1.0)
        return initial * rest**3 + final * (1 - rest**3)

    return sparsity
