"""A rule's body over all the parameters at once, on CUDA; or on CPU tensors under Triton's interpreter.

Triton is imported here, and this module only when a CUDA tensor (or a test of the interpreter) asks for it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mlsys.core import decay as decay_module
from mlsys.core.dispatch import lift
from mlsys.kernels import lifting
from mlsys.kernels.gather import addresses
from mlsys.kernels.layout import Gradients, check_tensors

_BLOCK = 1024  # elements a program: two 16-byte words of each tensor for each of 128 threads
# Without fusion each operation rounds, as the body says and as on the other engines.
OPTIONS: dict[str, Any] = {"enable_fp_fusion": False, "num_warps": 4}
_INTERPRETED_BLOCK = 65536  # the interpreter takes a millisecond a program, whatever its size


@functools.cache
def _lifted(body: Callable[..., tuple]) -> Any:
    """The body as a function of Triton's language; one object a body, so that it is compiled once."""
    import triton
    import triton.language as tl

    from mlsys.kernels import triton_xp

    lifted = lift(body, triton_xp)
    lifted.__globals__["tl"] = tl  # of the copy that lift made: the interpreter looks for it there
    return triton.jit(lifted)


def constants(
    body: Callable[..., tuple], slots: int, decay: bool, dtype: torch.dtype, block: int
) -> dict[str, Any]:
    """What the generic kernel is compiled for: the body, and numbers that follow from it."""
    import triton.language as tl

    count = len(lifting.signature(body, slots).coefficients)
    return {
        "BODY": _lifted(body),
        "BEFORE": _lifted(decay_module.body) if decay else None,
        "SLOTS": tuple(range(2, 2 + slots)),
        "C": tuple(range(count)),
        "D": tuple(range(count, count + 3 * decay)),
        "REAL": {torch.float32: tl.float32, torch.float64: tl.float64}[dtype],
        "BLOCK": block,
    }


class Plan:
    """Step `body` over params in place by one kernel launch: (3 + 2 slots) * itemsize bytes an element.

    Arguments, methods and errors are those of mlsys.kernels.cpu.Plan. Besides its traffic a step sends one
    table to the device: 8 * (3 + slots) bytes a parameter and the coefficients.
    """

    def __init__(
        self,
        body: Callable[..., tuple],
        params: Sequence[Tensor],
        slots: Sequence[tuple[Tensor, ...]],
        decay: bool = False,
    ) -> None:
        try:
            import triton
        except ImportError as error:
            raise NotImplementedError(
                f"the CUDA path needs Triton, which cannot be imported: {error}"
            ) from error
        interpreted = triton.knobs.runtime.interpret
        self._place, self._dtypes = ("cpu" if interpreted else "cuda"), [torch.float32, torch.float64]
        count = check_tensors(params, slots, self._place, self._dtypes)
        self._params, self._slots, self._decay = list(params), [tuple(own) for own in slots], decay
        self._dtypes, self._device = [params[0].dtype], params[0].device
        block = _INTERPRETED_BLOCK if interpreted else _BLOCK
        self._constants = constants(body, count, decay, params[0].dtype, block)
        self._wanted = len(self._constants["C"])
        self._gradients = Gradients(self._params)
        # One buffer goes over at each step: the coefficients (an even number, so that what follows them is
        # aligned), the addresses of w, g and each slot, and a row that says which tensors are aligned.
        self._head = (self._wanted + 3 * decay + 1) // 2 * 2
        self._host = np.zeros(self._head + (3 + count) * len(params), np.int64)
        self._table = self._host[self._head :].reshape(3 + count, len(params))
        self._table[0] = addresses(self._params)
        for k in range(count):
            self._table[2 + k] = addresses([own[k] for own in self._slots])
        self._bytes = np.array([w.numel() * w.element_size() for w in params], np.int64)
        rows = [(t, b, w.numel()) for t, w in enumerate(params) for b in range(-(-w.numel() // block))]
        self._work = torch.tensor(rows, dtype=torch.int64).reshape(-1, 3).to(self._device)

    def step(
        self, grads: Sequence[Tensor], c: tuple[float, ...], d: tuple[float, float, float] | None = None
    ) -> None:
        """As mlsys.kernels.cpu.Plan.step; returns when the kernel is queued on the current stream."""
        lifting.check_scalars(c, d, self._wanted, self._decay)
        grads = self._gradients.matched(grads)
        now = addresses(self._params)
        if not np.array_equal(now, self._table[0]):
            check_tensors(self._params, self._slots, self._place, self._dtypes)
            self._table[0] = now
        self._table[1] = addresses(grads)
        self._table[-1] = (np.bitwise_or.reduce(self._table[:-1], axis=0) | self._bytes) % 16 == 0
        scalars = (*c, *d) if d else c
        self._host[: len(scalars)].view(np.float64)[:] = scalars
        if len(self._work):
            self._launch()
        torch.autograd.graph.increment_version(self._params)

    def _launch(self) -> None:
        from mlsys.kernels import triton_kernel

        host = torch.from_numpy(self._host)
        if self._device.type == "cuda":  # pinned memory is not given to others before the copy is done
            with torch.cuda.device(self._device):
                packed = host.pin_memory().to(self._device, non_blocking=True)
                self._run(triton_kernel.step, packed)
        else:
            self._run(triton_kernel.step, host)

    def _run(self, kernel: Any, packed: Tensor) -> None:
        scalars, table = packed[: self._head].view(torch.float64), packed[self._head :]
        kernel[(len(self._work),)](
            table, self._work, scalars, len(self._params), **self._constants, **OPTIONS
        )
