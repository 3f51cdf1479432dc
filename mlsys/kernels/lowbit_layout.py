"""Whether a table of addresses can stand for what moments in fewer bits are kept in."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mlsys.core.lowbit import BLOCK, Memory
from mlsys.kernels.layout import check_apart, check_tensors, same_layout

CODES = {"bfloat16": torch.bfloat16, "8bit": torch.uint8}


def check(params: Sequence[Tensor], memory: Sequence[Memory], moments: str, device: str) -> None:
    """NotImplementedError unless a kernel on this device can take all these tensors."""
    check_tensors(params, [()] * len(params), device, [torch.float32])
    if len(memory) != len(params):
        raise NotImplementedError(
            f"memory must hold one record a parameter: {len(params)}; got {len(memory)}."
        )
    for i, (w, own) in enumerate(zip(params, memory, strict=True)):
        for name, code in (("m", own.m), ("v", own.v)):
            if code.dtype != CODES[moments] or code.device != w.device or not same_layout(w, code):
                raise NotImplementedError(
                    f"memory[{i}].{name} must be {CODES[moments]} on {w.device} in the memory order of its "
                    f"parameter, {tuple(w.shape)} with strides {w.stride()}; got {code.dtype} on {code.device}, "
                    f"{tuple(code.shape)} with strides {code.stride()}."
                )
        wanted = (-(-w.numel() // BLOCK),)
        if len(own.offsets) != 2 * (moments == "8bit") or any(
            x.dtype != torch.float32 or x.device != w.device or x.shape != wanted or not x.is_contiguous()
            for x in own.offsets
        ):
            raise NotImplementedError(
                f"memory[{i}].offsets must be {'two' if moments == '8bit' else 'no'} float32 tensors of shape "
                f"{wanted} on {w.device}; got {[(x.dtype, tuple(x.shape)) for x in own.offsets]}."
            )
    check_apart([x for w, own in zip(params, memory, strict=True) for x in (w, *own.tensors)])
