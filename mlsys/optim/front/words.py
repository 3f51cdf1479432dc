"""What is refused, in torch's own words followed by the remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

# Where torch says "supported devices", we have none: the step number is counted in Python.
_CAPTURABLE = (
    "If capturable=True, params{numbers} and state_steps must be on supported devices: []. "
    "Pass capturable=False (or set group['capturable'] = False): steps are counted on the host."
)
_CAPTURING = (
    "Attempting CUDA graph capture of step() for an instance of {name} but param_groups' capturable is False. "
    "Capture the forward and backward passes, and call step() outside."
)
_FUSED_DEVICES = ["cpu", "cuda"]


def require(holds: Callable[[Any], Any], name: str, value: Any, words: str, remedy: str) -> None:
    """Raise ValueError in torch's words unless value is a number that holds; TypeError if it is none."""
    try:
        good = bool(holds(value))
    except (TypeError, RuntimeError) as error:
        raise TypeError(f"{name} must be a real number; got {value!r}. {remedy}") from error
    if not good:
        raise ValueError(f"{words}: {value}. {remedy}")


def at_least_zero(group: dict[str, Any], **words: str) -> None:
    """Each named option of the group must be >= 0 (so not NaN); `words` says what torch calls it."""
    for name, called in words.items():
        require(lambda x: x >= 0.0, name, group[name], f"Invalid {called}", f"Pass {name} >= 0.")


def rate(group: dict[str, Any]) -> None:
    """lr is a number >= 0, or a tensor that holds one."""
    lr = group["lr"]
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError(f"Tensor lr must be 1-element; got shape {tuple(lr.shape)}. Pass a float.")
    at_least_zero(group, lr="learning rate")


def betas(group: dict[str, Any]) -> None:
    """A pair of numbers in [0, 1)."""
    pair = tuple(group["betas"])
    if len(pair) != 2:
        raise ValueError(f"betas must be a pair; got {group['betas']!r}. Pass betas=(0.9, 0.999).")
    for i, beta in enumerate(pair):
        said = f"Invalid beta parameter at index {i}"
        require(lambda x: 0.0 <= x < 1.0, f"betas[{i}]", beta, said, "Pass betas in [0, 1).")


def implementations(options: dict[str, Any]) -> None:
    """The choices among torch's implementations that exclude each other."""
    if options.get("fused"):
        if options["differentiable"]:
            raise RuntimeError("`fused` does not support `differentiable`. Pass one of them.")
        if options["foreach"]:
            raise RuntimeError(
                "`fused` and `foreach` cannot be `True` together. Pass one of them, or neither."
            )


def not_served(group: dict[str, Any], name: str, on_cuda: bool) -> None:
    """What torch can do and a step counted in Python cannot, and what torch refuses at the step."""
    if group.get("capturable"):
        numbers = ", mu_products" if "momentum_decay" in group else ""  # NAdam's, kept on the host as well
        raise AssertionError(_CAPTURABLE.format(numbers=numbers))
    if group["differentiable"] and group["foreach"]:
        raise AssertionError(
            "_foreach ops don't support autograd. Pass foreach=False with differentiable=True."
        )
    if on_cuda and torch.cuda.is_current_stream_capturing():
        raise RuntimeError(_CAPTURING.format(name=name))


def gradient(p: Tensor, g: Tensor, group: dict[str, Any], sparse: str, name: str) -> None:
    """A gradient of a layout that its rule does not take, or a parameter that `fused` does not take.

    sparse : the words that refuse row-sparse gradients, "" where they are taken
    """
    if g.layout is torch.sparse_coo:
        if sparse:
            raise RuntimeError(f"{sparse}. Or pass sparse=False to the layer, or use SGD or Adagrad for it.")
        if group["weight_decay"] != 0:
            raise RuntimeError(
                "weight_decay option is not compatible with sparse gradients: it moves rows that have none. "
                f"Got weight_decay={group['weight_decay']}; put this parameter in a group with weight_decay=0."
            )
        if group.get("fused"):
            raise RuntimeError(f"`fused` does not support sparse gradients ({name}). Pass fused=None.")
    elif g.layout is not torch.strided:
        raise RuntimeError(f"{name} does not support gradients of layout {g.layout}. Pass grad.to_dense().")
    if group.get("fused") and not (p.device.type in _FUSED_DEVICES and p.is_floating_point()):
        raise RuntimeError(
            "`fused=True` requires all the params to be floating point Tensors of "
            f"supported devices: {_FUSED_DEVICES} but {p.dtype} and {p.device.type}. Pass fused=None."
        )
    agrees("grad", g, p)


def agrees(name: str, other: Tensor, p: Tensor) -> None:
    """What is used elementwise with a parameter has its shape and lives beside it."""
    if other.shape != p.shape:
        raise ValueError(
            f"{name} must have the shape {tuple(p.shape)} of its parameter; got {tuple(other.shape)}. "
            "Was the parameter replaced, or the state_dict of another model loaded?"
        )
    if other.device != p.device:
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but {name} is on {other.device} and its parameter "
            f"on {p.device}. Move the model first, and make or load the optimizer afterwards."
        )


def complete(p: Tensor, state: dict[str, Any], keys: list[str]) -> None:
    """A state that exists has all that the rule needs."""
    for key in keys:
        if key not in state:
            raise KeyError(
                f"{key}: the state of a parameter of shape {tuple(p.shape)} has only {sorted(state)}. "
                "It is another rule's, or an option was changed midway: load the right state_dict, "
                "or delete optimizer.state[p] to start afresh."
            )
