"""A rule's body over all the parameters at once, on CPU."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from mlsys.kernels import lifting, objects, team
from mlsys.kernels.gather import addresses, fill
from mlsys.kernels.layout import Gradients, check_tensors

_REALS = {torch.float32: "float32", torch.float64: "float64"}
# Elements that a thread takes at a time: long enough to stream, and so many units that threads end together.
_LONGEST, _SHORTEST, _UNITS_A_THREAD = 1 << 20, 4096, 16


class Plan:
    """Step `body` over params in place, in one pass over memory: (3 + 2 slots) * itemsize bytes an element.

    body : a Rule's body(w, g, *slots, *c);  params : tensors of one dtype, float32 or float64, each dense
    slots : slots[i] the state tensors of params[i], in the same memory order
    decay : whether mlsys.core.decay's body comes first
    Raises NotImplementedError, with the reason, for what it cannot take; the readable path serves then.
    """

    def __init__(
        self,
        body: Callable[..., tuple],
        params: Sequence[Tensor],
        slots: Sequence[tuple[Tensor, ...]],
        decay: bool = False,
    ) -> None:
        count = check_tensors(params, slots, "cpu", list(_REALS))
        self._params, self._slots, self._decay = list(params), [tuple(own) for own in slots], decay
        self._dtype = params[0].dtype
        self._wanted = len(lifting.signature(body, count).coefficients)
        self._kernel = objects.kernel(body, count, decay, _REALS[self._dtype])
        self._gradients = Gradients(self._params)
        self._table = np.stack(
            [addresses(self._params), np.zeros(len(params), np.int64)]
            + [addresses([own[k] for own in self._slots]) for k in range(count)]
        )
        sizes = [w.numel() for w in params]
        share = sum(sizes) // (_UNITS_A_THREAD * torch.get_num_threads())
        self._chunks, self._bounds = chunks(sizes, min(max(share, _SHORTEST), _LONGEST))
        self._c = np.zeros(self._wanted + 3 * decay, dtype=_REALS[self._dtype])
        arrays = (self._table, self._bounds, self._chunks, self._c)
        counts = (0, len(self._bounds) - 1, len(params))
        self._head = np.array([*counts, *(a.ctypes.data for a in arrays)], np.int64)
        self._head_at, self._units = self._head.ctypes.data, int(self._head[1])
        self._now = self._table[0].copy()
        self._now_at, self._grads_at = self._now.ctypes.data, self._table[1].ctypes.data

    def step(
        self, grads: Sequence[Tensor], c: tuple[float, ...], d: tuple[float, float, float] | None = None
    ) -> None:
        """One step, in place, from grads[i] of params[i] and the coefficients, rounded to the dtype here.

        d : (sign, lam, keep) of mlsys.core.decay, given if and only if the plan was made with decay=True
        Raises TypeError or ValueError for gradients or coefficients that do not fit, and NotImplementedError if a
        parameter's memory was replaced by one that a plan cannot take; nothing is written then.
        """
        lifting.check_scalars(c, d, self._wanted, self._decay)
        grads = self._gradients.matched(grads)
        self._follow_params()
        fill(self._table[1], self._grads_at, grads)
        self._c[:] = (*c, *d) if d else c
        # The kernel writes behind torch's back; a backward pass that saved these values must still notice. (Told
        # before it runs: the tensors' headers, just looked at, are in the cache now and not afterwards.)
        torch.autograd.graph.increment_version(self._params)
        self._head[0] = 0
        team.run(self._kernel, self._head_at, self._units)

    def _follow_params(self) -> None:
        """Parameters keep their identity while their memory may move, as model.to(...) makes it."""
        fill(self._now, self._now_at, self._params)
        if self._now.tobytes() != self._table[0].tobytes():
            check_tensors(self._params, self._slots, "cpu", [self._dtype])
            self._table[0] = self._now


def chunks(sizes: Sequence[int], unit: int) -> tuple[np.ndarray, np.ndarray]:
    """Share tensors out: (n, 3) rows of tensor, start, stop; and where each unit of work starts among them.

    A unit holds about `unit` elements: a piece of a large tensor or many small ones. A tensor that is all but
    as small as a unit stays whole.
    """
    rows: list[tuple[int, int, int]] = []
    bounds, filled = [0], 0
    for t, size in enumerate(sizes):
        pieces = max(1, round(size / unit)) if size else 0
        edges = [size * k // pieces // 16 * 16 if k < pieces else size for k in range(pieces + 1)]
        for start, stop in itertools.pairwise(edges):
            rows.append((t, start, stop))
            filled += stop - start
            if filled >= unit // 2:
                bounds.append(len(rows))
                filled = 0
    if bounds[-1] != len(rows):
        bounds.append(len(rows))
    return np.array(rows, np.int64).reshape(-1, 3), np.array(bounds, np.int64)
