"""The state of many small parameters in few stretches of memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

_PLAIN = (Tensor, torch.nn.Parameter)  # subclasses may hold no memory of their own
_SMALL = (
    1 << 16
)  # elements; a larger tensor streams well wherever it lies, and is better saved or freed alone
_ALIGNED = 64  # bytes, as torch's own allocations


class Flat:
    """Room for the slots of small parameters side by side, a stretch a slot, dtype and device.

    A step then walks through a slot of 2,000 small parameters as through one long array, which the processor can
    fetch ahead. Each slot is a view, to torch a tensor like any other.
    """

    def __init__(self, params: Iterable[Tensor]) -> None:
        self._room: Counter[tuple] = Counter()
        for p in params:
            if _fits(p):
                self._room[p.device, p.dtype] += _padded(p)
        self._buffers: dict[tuple, Tensor] = {}
        self._used: Counter[tuple] = Counter()

    def like(self, p: Tensor, letter: str, value: complex) -> Tensor:
        """torch.full_like(p, value) for the slot `letter`; in memory of its own where no room was made for it."""
        key = (letter, p.device, p.dtype)
        start, stop = self._used[key], self._used[key] + _padded(p)
        if not _fits(p) or stop > self._room[key[1:]]:
            return torch.full_like(p, value, requires_grad=False)
        if key not in self._buffers:
            self._buffers[key] = torch.full((self._room[key[1:]],), value, dtype=p.dtype, device=p.device)
        self._used[key] = stop
        mine = self._buffers[key][start : start + p.numel()]
        if p.is_contiguous():
            return mine.view(p.shape)
        return mine.as_strided(p.shape, torch.empty_like(p, device="meta").stride())


def _fits(p: Any) -> bool:
    return type(p) in _PLAIN and p.layout is torch.strided and p.numel() < _SMALL


def _padded(p: Tensor) -> int:
    unit = _ALIGNED // p.element_size()
    return -(-p.numel() // unit) * unit
