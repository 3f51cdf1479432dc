"""Formats of low-bit moments, parameters of every shape beside their readable twins, gradients of hostile scales."""

from __future__ import annotations

import numpy as np
import torch
from kernel_cases import hostile

from mlsys.core import lowbit as codes
from mlsys.core.lowbit import Memory
from mlsys.optim import adam, adamw, lowbit, radam
from mlsys.optim.lowbit import LowBitState

FORMATS = {
    f"{moments}-{rounding}": (moments, rounding)
    for moments in ("bfloat16", "8bit")
    for rounding in ("stochastic", "nearest")
}
RULES = {"adamw": adamw(0.01), "adam": adam(0.01), "radam": radam(0.01)}
CASES = [
    *(("adamw", form) for form in FORMATS),
    ("adam", "8bit-stochastic"),
    ("radam", "bfloat16-stochastic"),
]
SHAPES = [(), (0,), (1,), (255,), (256,), (257,), (33, 31), (2, 3, 5, 7), (70_001,)]


def memory(w: torch.Tensor, moments: str, first: int) -> Memory:
    """Fresh codes of both moments, 0."""
    dtype = {"bfloat16": torch.bfloat16, "8bit": torch.uint8}[moments]
    none = torch.zeros(-(-w.numel() // codes.BLOCK), dtype=torch.int32)
    offsets = (codes.signed_offset(none), codes.squares_offset(none)) if moments == "8bit" else ()
    return Memory(torch.zeros_like(w, dtype=dtype), torch.zeros_like(w, dtype=dtype), offsets, first)


class Twins:
    """Parameters of a plan, and the same through the readable rule on NumPy arrays."""

    def __init__(self, name: str, form: str, seed: int = 3, shapes=SHAPES) -> None:
        self.rule, self.seed, self.t = RULES[name], seed, 0
        moments, rounding = FORMATS[form]
        self.params = [hostile(shape, torch.float32, i) for i, shape in enumerate(shapes)]
        self.firsts = [sum(w.numel() for w in self.params[:i]) for i in range(len(shapes))]
        self.firsts[-1] += 2**32 - 100  # the count of places goes over the end of 32 bits
        self.memory = [memory(w, moments, k) for w, k in zip(self.params, self.firsts, strict=True)]
        self.readable = [lowbit(self.rule, moments, rounding, seed, first) for first in self.firsts]
        self.arrays = [w.numpy().copy() for w in self.params]
        self.states = [r.init(w) for r, w in zip(self.readable, self.arrays, strict=True)]

    def plan(self, cls: type):
        moments, rounding = self.readable[0].moments, self.readable[0].rounding
        return cls(self.rule.body, self.params, self.memory, moments, rounding, self.rule.decay is not None)

    def step(self, plan, grads: list[torch.Tensor]) -> None:
        """One step of both."""
        self.t += 1
        hyper = self.rule.at(self.t)
        d = self.rule.decay(hyper) if self.rule.decay else None
        plan.step(grads, self.rule.coefficients(hyper, self.t), d, codes.key(self.seed, self.t))
        for k, (rule, g) in enumerate(zip(self.readable, grads, strict=True)):
            self.arrays[k], self.states[k] = rule.step(self.arrays[k], g.numpy(), self.states[k])

    def differing(self) -> int:
        """How many weights, moments and offsets differ in any bit, a NaN being equal to a NaN."""
        count = 0
        for k, (w, own) in enumerate(zip(self.params, self.memory, strict=True)):
            bits = [x.view(torch.int16) if x.dtype == torch.bfloat16 else x for x in own.tensors]
            m, v, *offsets = (x.numpy() for x in bits)
            state = LowBitState(self.t, m, v, *(offsets or ((), ())))
            mine = (w.numpy(), *self.readable[k].values(state), *offsets)
            theirs = (self.arrays[k], *self.readable[k].values(self.states[k]), *self.states[k][3:])
            for a, b in zip(mine, theirs, strict=False):
                count += int((~((a == b) | (np.isnan(a) & np.isnan(b)))).sum())
        return count


def gradients(twins: Twins, t: int) -> list[torch.Tensor]:
    """Of hostile scales, in the shapes of the twins."""
    return [hostile(tuple(w.shape), torch.float32, 100 * t + i) for i, w in enumerate(twins.params)]
