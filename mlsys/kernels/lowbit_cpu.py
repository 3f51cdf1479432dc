"""A rule with moments in fewer bits over all the parameters at once, on CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from mlsys.core.lowbit import BLOCK, Memory
from mlsys.kernels import lifting, objects, team
from mlsys.kernels.cpu import _LONGEST, _SHORTEST, _UNITS_A_THREAD, chunks
from mlsys.kernels.gather import addresses, fill
from mlsys.kernels.layout import Gradients
from mlsys.kernels.lowbit_layout import check
from mlsys.kernels.lowbit_source import source


class Plan:
    """Step body(w, g, m, v, *c) over float32 params in place, its moments kept as codes: one pass over memory,
    20 bytes an element in bfloat16, 16 and a 16th in 8 bits.

    memory : what each parameter's moments are kept in, in the memory order of the parameter
    moments, rounding : as in mlsys.optim.lowbit, whose numbers these are, to the bit
    decay : whether mlsys.core.decay's body comes first
    Raises NotImplementedError, with the reason, for what it cannot take; the readable path serves then.
    """

    def __init__(
        self,
        body: Callable[..., tuple],
        params: Sequence[Tensor],
        memory: Sequence[Memory],
        moments: str,
        rounding: str,
        decay: bool = False,
    ) -> None:
        check(params, memory, moments, "cpu")
        self._params, self._memory, self._decay = list(params), list(memory), decay
        self._again = lambda: check(params, memory, moments, "cpu")
        self._wanted = len(lifting.signature(body, 2).coefficients)
        self._kernel = objects.of(source(body, moments, rounding, decay), "float32")
        self._gradients = Gradients(self._params)
        rows = [addresses(list(tensors)) for tensors in zip(*(own.tensors for own in memory), strict=True)]
        firsts = np.array([own.first for own in memory], np.int64)
        self._table = np.stack([addresses(self._params), np.zeros(len(params), np.int64), *rows, firsts])
        sizes = [w.numel() for w in params]
        share = sum(sizes) // (_UNITS_A_THREAD * torch.get_num_threads())
        unit = min(max(share, _SHORTEST), _LONGEST)
        blocks, self._bounds = chunks([-(-size // BLOCK) for size in sizes], unit // BLOCK)
        self._chunks = blocks * (1, BLOCK, BLOCK)
        self._chunks[:, 2] = np.minimum(self._chunks[:, 2], np.array(sizes, np.int64)[blocks[:, 0]])
        self._c = np.zeros(self._wanted + 3 * decay, np.float32)
        arrays = (self._table, self._bounds, self._chunks, self._c)
        counts = (0, len(self._bounds) - 1, len(params))
        self._head = np.array([*counts, *(a.ctypes.data for a in arrays), 0], np.int64)
        self._head_at, self._units = self._head.ctypes.data, int(self._head[1])
        self._now = self._table[0].copy()
        self._now_at, self._grads_at = self._now.ctypes.data, self._table[1].ctypes.data

    def step(
        self,
        grads: Sequence[Tensor],
        c: tuple[float, ...],
        d: tuple[float, float, float] | None,
        key: int,
    ) -> None:
        """As mlsys.kernels.cpu.Plan.step; key : of mlsys.core.lowbit, what the step adds to every counter."""
        lifting.check_scalars(c, d, self._wanted, self._decay)
        grads = self._gradients.matched(grads)
        fill(self._now, self._now_at, self._params)
        if self._now.tobytes() != self._table[0].tobytes():
            self._again()
            self._table[0] = self._now
        fill(self._table[1], self._grads_at, grads)
        self._c[:] = (*c, *d) if d else c
        torch.autograd.graph.increment_version(self._params)
        self._head[0], self._head[7] = 0, key
        team.run(self._kernel, self._head_at, self._units)
