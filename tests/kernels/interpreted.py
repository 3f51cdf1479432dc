"""Run by test_triton_interpreted.py in a process of its own: TRITON_INTERPRET=1 counts only before the first import.

Prints a JSON object: for each case the numbers that differ from NumPy's, and the numbers written out of bounds.
"""

from __future__ import annotations

import json
import sys

import torch
from kernel_cases import DECAYS, DTYPES, RULES, Readable, hostile, slots_of

from mlsys.kernels import cuda

SHAPES = [(), (1,), (0,), (7,), (16,), (33, 5), (128, 3), (1021,), (2, 3, 5, 7)]


def framed(x: torch.Tensor, offset: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The tensor inside a buffer of NaN, `offset` elements beyond an aligned address; and the buffer."""
    buffer = torch.full((x.numel() + 64,), float("nan"), dtype=x.dtype)
    skip = (-buffer.data_ptr() % 64) // x.element_size() + offset
    inner = buffer[skip : skip + x.numel()]
    inner.copy_(x.reshape(-1))
    return inner.view(x.shape), buffer


def outside(framed_tensors: list[tuple[torch.Tensor, torch.Tensor]]) -> int:
    """How many of the frames' numbers are no longer NaN."""
    return sum(int((~b.isnan()).sum()) - int((~x.isnan()).sum()) for x, b in framed_tensors)


def case(name: str, d: tuple[float, float, float] | None, dtype: torch.dtype) -> dict[str, int]:
    rule = RULES[name]
    frames = [framed(hostile(s, dtype, i), offset) for i, s in enumerate(SHAPES) for offset in (0, 1)]
    params = [x for x, _ in frames]
    slot_frames = [[framed(s, i % 2) for s in slots_of(rule, w)] for i, w in enumerate(params)]
    slots = [tuple(x for x, _ in own) for own in slot_frames]
    readable, plan = Readable(rule, params, d), cuda.Plan(rule.body, params, slots, d is not None)
    for t in range(2):
        grads = [framed(hostile(tuple(w.shape), dtype, 100 * t + i), i % 2)[0] for i, w in enumerate(params)]
        plan.step(grads, readable.step(grads), d)
    every = [*frames, *(frame for own in slot_frames for frame in own)]
    return {"differing": readable.differing(params, slots), "outside": outside(every)}


def special() -> dict[str, dict[str, int]]:
    """Gradients and orders out of the ordinary, more than one block a tensor, and NaN in a maximum."""
    rule, out = RULES["amsgrad"], {}
    transposed = hostile((30, 20), torch.float32, 0).t()
    long = hostile((cuda._INTERPRETED_BLOCK + 5,), torch.float32, 1)
    spoiled = hostile((9,), torch.float32, 2)
    for name, w, g in (
        ("order", transposed, hostile((20, 30), torch.float32, 3)),
        ("blocks", long, hostile(tuple(long.shape), torch.float32, 4)),
        ("nan", spoiled, torch.tensor([float("nan")] * 4 + [1.0] * 5)),
    ):
        slots = [slots_of(rule, w)]
        readable, plan = Readable(rule, [w], None), cuda.Plan(rule.body, [w], slots)
        for _ in range(2):
            plan.step([g], readable.step([g]))
        out[name] = {"differing": readable.differing([w], slots), "outside": 0}
    return out


if __name__ == "__main__":
    results = {
        f"{name}-{decayed}-{real}": case(name, d, dtype)
        for name in RULES
        for decayed, d in DECAYS.items()
        for real, dtype in DTYPES.items()
    }
    json.dump(results | special(), sys.stdout)
