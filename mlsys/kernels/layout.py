"""Which tensors a table of addresses can stand for, and the check of a step's gradients against them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

_PLAIN = (Tensor, torch.nn.Parameter)


def strides(tensor: Tensor) -> tuple[tuple[int, int], ...]:
    """(size, stride) of the dimensions that move in memory: equal for tensors whose elements lie in the same order."""
    if not tensor.numel():
        return ()
    return tuple((n, s) for n, s in zip(tensor.shape, tensor.stride(), strict=True) if n > 1)


def dense(tensor: Tensor) -> bool:
    """Whether the elements fill one stretch of memory, each once, in whatever order of the dimensions."""
    expected = 1
    for size, stride in sorted(strides(tensor), key=lambda pair: pair[1]):
        if stride != expected:
            return False
        expected *= size
    return True


def same_layout(a: Tensor, b: Tensor) -> bool:
    """Whether the k-th element in memory of one is the k-th in memory of the other."""
    return a.shape == b.shape and strides(a) == strides(b)


def check_tensors(
    params: Sequence[Tensor], slots: Sequence[tuple[Tensor, ...]], device: str, dtypes: Sequence[torch.dtype]
) -> int:
    """The number of slots; NotImplementedError unless a kernel on this device can take all these tensors."""
    if not params or len(params) != len(slots):
        raise NotImplementedError(
            f"a plan needs parameters, each with slots; got {len(params)} and {len(slots)}."
        )
    dtype, place = params[0].dtype, params[0].device
    if place.type != device or dtype not in dtypes:
        raise NotImplementedError(
            f"kernels for {device} take {', '.join(map(str, dtypes))}; got {dtype} on {place}."
        )
    for i, (w, own) in enumerate(zip(params, slots, strict=True)):
        for name, x in ((f"params[{i}]", w), *((f"slots[{i}][{k}]", s) for k, s in enumerate(own))):
            if type(x) not in _PLAIN or x.layout is not torch.strided or x.is_neg() or x.is_inference():
                raise NotImplementedError(
                    f"{name} is a {type(x).__name__} of layout {x.layout}, not plain memory."
                )
            if x.dtype != dtype or x.device != place:
                raise NotImplementedError(
                    f"{name} is {x.dtype} on {x.device}; params[0] is {dtype} on {place}."
                )
            if not dense(x) or not same_layout(w, x):
                raise NotImplementedError(
                    f"{name} has strides {x.stride()} at shape {tuple(x.shape)}: its memory has holes or overlaps, "
                    f"or is ordered otherwise than that of params[{i}], with strides {w.stride()}."
                )
    if any(len(own) != len(slots[0]) for own in slots):
        raise NotImplementedError("every parameter must have the same number of slots.")
    check_apart([x for w, own in zip(params, slots, strict=True) for x in (w, *own)])
    return len(slots[0])


def check_apart(tensors: Sequence[Tensor]) -> None:
    """Raise if two tensors share memory: threads would write it at once, in no order."""
    spans = sorted((x.data_ptr(), x.data_ptr() + x.numel() * x.element_size()) for x in tensors if x.numel())
    for (_, end), (start, _) in itertools.pairwise(spans):
        if start < end:
            raise NotImplementedError("two of the parameters and slots share memory, as tied weights do.")


class Gradients:
    """Compares each step's gradients with their parameters: one call where all is as usual.

    torch's own guard, which torch.compile runs before each call, compares type, dtype, device, sizes and
    strides of a list of tensors in 40 ns each; Python needs ten times that. What does not pass it is looked at
    one by one.
    """

    def __init__(self, params: Sequence[Tensor]) -> None:
        self._params = params
        usual = [torch.empty_strided(w.shape, w.stride(), dtype=w.dtype, device=w.device) for w in params]
        sizes: list[Any] = [list(w.shape) for w in usual]
        steps: list[Any] = [list(w.stride()) for w in usual]
        self._planned = list(zip(sizes, steps, strict=True))
        self._guard: Any = torch._C._dynamo.guards.TensorGuards(
            *usual, dynamic_dims_sizes=sizes, dynamic_dims_strides=steps
        )

    def matched(self, grads: Sequence[Tensor]) -> Sequence[Tensor]:
        """The gradients, those in another memory order copied into that of their parameter.

        Raises TypeError or ValueError for one that cannot be used, and NotImplementedError if it is a parameter
        that has another shape or order now than it was planned with, before anything is written.
        """
        if len(grads) != len(self._params):
            raise ValueError(
                f"grads must hold one gradient a parameter: {len(self._params)}; got {len(grads)}."
            )
        if self._guard.check(*grads):
            return grads
        for i, (w, planned) in enumerate(zip(self._params, self._planned, strict=True)):
            if (list(w.shape), list(w.stride())) != planned:
                raise NotImplementedError(
                    f"params[{i}] was planned with sizes and strides {planned}; "
                    f"it has {tuple(w.shape)} and {w.stride()} now."
                )
        return [self._one(i, w, g) for i, (w, g) in enumerate(zip(self._params, grads, strict=True))]

    @staticmethod
    def _one(i: int, w: Tensor, g: Tensor) -> Tensor:
        if not isinstance(g, Tensor) or g.layout is not torch.strided:
            raise TypeError(
                f"grads[{i}] must be a dense tensor; got {getattr(g, 'layout', type(g).__name__)}."
            )
        if g.dtype != w.dtype or g.device != w.device:
            raise TypeError(
                f"grads[{i}] is {g.dtype} on {g.device}; its parameter is {w.dtype} on {w.device}. "
                "Convert it with .to(parameter)."
            )
        if g.shape != w.shape:
            raise ValueError(f"grads[{i}] has shape {tuple(g.shape)}; its parameter {tuple(w.shape)}.")
        if same_layout(w, g) and not g.is_neg() and type(g) in _PLAIN:
            return g
        copy = torch.empty_strided(w.shape, w.stride(), dtype=w.dtype, device=w.device)
        return copy.copy_(g.detach())
