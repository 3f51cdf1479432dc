"""A rule with moments in fewer bits over all the parameters at once, on CUDA; or in Triton's interpreter.

Triton is imported here, and this module only when a CUDA tensor (or a test of the interpreter) asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mlsys.core import decay as decay_module
from mlsys.core.lowbit import Memory
from mlsys.kernels import lifting
from mlsys.kernels.cuda import _BLOCK, _INTERPRETED_BLOCK, OPTIONS, _lifted
from mlsys.kernels.gather import addresses
from mlsys.kernels.layout import Gradients
from mlsys.kernels.lowbit_layout import check


def constants(
    body: Callable[..., tuple], moments: str, rounding: str, decay: bool, block: int
) -> dict[str, Any]:
    """What the kernel is compiled for: the format, the body, and numbers that follow from them."""
    from mlsys.kernels import lowbit_triton

    count = len(lifting.signature(body, 2).coefficients)
    return {
        "SPAN": lowbit_triton.SPANS[moments],
        "ROWS": 7 if moments == "8bit" else 5,
        "BODY": _lifted(body),
        "BEFORE": _lifted(decay_module.body) if decay else None,
        "NEAREST": rounding == "nearest",
        "C": tuple(range(count)),
        "D": tuple(range(count, count + 3 * decay)),
        "ELEMENTS": block,
    }


class Plan:
    """Step body(w, g, m, v, *c) by one kernel launch: 20 bytes an element in bfloat16, 16 and a 16th in 8 bits.

    Arguments, methods and errors are those of mlsys.kernels.lowbit_cpu.Plan. Besides its traffic a step sends one
    table to the device: 48 or 64 bytes a parameter, and the coefficients.
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
        try:
            import triton
        except ImportError as error:
            raise NotImplementedError(
                f"the CUDA path needs Triton, which cannot be imported: {error}"
            ) from error
        interpreted = triton.knobs.runtime.interpret
        place = "cpu" if interpreted else "cuda"
        check(params, memory, moments, place)
        self._again = lambda: check(params, memory, moments, place)
        self._params, self._memory, self._decay = list(params), list(memory), decay
        self._device = params[0].device
        block = _INTERPRETED_BLOCK if interpreted else _BLOCK
        self._constants = constants(body, moments, rounding, decay, block)
        self._wanted = len(self._constants["C"])
        self._gradients = Gradients(self._params)
        # One buffer goes over at each step: the scalars, the addresses, and a row that says which are aligned.
        rows = self._constants["ROWS"]
        self._head = (self._wanted + 3 * decay + 2) // 2 * 2
        self._host = np.zeros(self._head + (rows + 1) * len(params), np.int64)
        self._table = self._host[self._head :].reshape(rows + 1, len(params))
        self._table[0] = addresses(self._params)
        for k, tensors in enumerate(zip(*(own.tensors for own in memory), strict=True)):
            self._table[2 + k] = addresses(list(tensors))
        self._table[rows - 1] = [own.first for own in memory]
        self._sizes = np.array([w.numel() for w in params], np.int64)
        work = [(t, b, n) for t, n in enumerate(self._sizes) for b in range(-(-n // block))]
        self._work = torch.tensor(work, dtype=torch.int64).reshape(-1, 3).to(self._device)

    def step(
        self,
        grads: Sequence[Tensor],
        c: tuple[float, ...],
        d: tuple[float, float, float] | None,
        key: int,
    ) -> None:
        """As mlsys.kernels.lowbit_cpu.Plan.step; returns when the kernel is queued on the current stream."""
        lifting.check_scalars(c, d, self._wanted, self._decay)
        grads = self._gradients.matched(grads)
        now = addresses(self._params)
        if not np.array_equal(now, self._table[0]):
            self._again()
            self._table[0] = now
        self._table[1] = addresses(grads)
        self._table[-1] = (np.bitwise_or.reduce(self._table[:4], axis=0) | self._sizes) % 16 == 0
        scalars = (*c, *(d or ()), key)
        self._host[: len(scalars)].view(np.float64)[:] = scalars
        if len(self._work):
            self._launch()
        torch.autograd.graph.increment_version(self._params)

    def _launch(self) -> None:
        from mlsys.kernels import lowbit_triton

        host = torch.from_numpy(self._host)
        if self._device.type == "cuda":  # pinned memory is not given to others before the copy is done
            with torch.cuda.device(self._device):
                packed = host.pin_memory().to(self._device, non_blocking=True)
                self._run(lowbit_triton.step, packed)
        else:
            self._run(lowbit_triton.step, host)

    def _run(self, kernel: Any, packed: Tensor) -> None:
        scalars, table = packed[: self._head].view(torch.float64), packed[self._head :]
        kernel[(len(self._work),)](
            table, self._work, scalars, len(self._params), **self._constants, **OPTIONS
        )
