"""The addresses of a list of tensors: ten times as fast as asking each tensor from Python.

torch offers its compiled programs a C function from a Python tensor to its address. Where it is there, a loop of
eleven instructions calls it for each item of a list; elsewhere `Tensor.data_ptr` is asked, to the same effect.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from mlsys.kernels import engine

_LOOP = """
define void @gather(ptr %items, i64 %n, ptr %item, ptr %address, ptr %out) {
start:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %loop, label %done
loop:
  %i = phi i64 [0, %start], [%next, %loop]
  %tensor = call ptr %item(ptr %items, i64 %i)
  %where = call ptr %address(ptr %tensor)
  %slot = getelementptr ptr, ptr %out, i64 %i
  store ptr %where, ptr %slot
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}
"""


def addresses(tensors: Sequence[Tensor]) -> np.ndarray:
    """(n,) int64: where the first element of each tensor lies."""
    out = np.empty(len(tensors), np.int64)
    fill(out, out.ctypes.data, tensors)
    return out


def fill(row: np.ndarray, where: int, tensors: Sequence[Tensor]) -> None:
    """Write these addresses into row (n,) int64, which itself lies at the address `where`."""
    native = _native()
    if native is None or type(tensors) is not list:
        row[:] = np.fromiter(map(Tensor.data_ptr, tensors), np.int64, len(tensors))
    else:
        native(tensors, len(tensors), where)


@functools.cache
def _native() -> Callable[[list, int, int], None] | None:
    function = getattr(torch._C._dynamo.guards, "_torchinductor_pyobject_tensor_data_ptr", None)
    if function is None:
        return None
    item = ctypes.cast(ctypes.pythonapi.PyList_GetItem, ctypes.c_void_p).value
    # PYFUNCTYPE keeps the interpreter's lock, under which alone a list may be walked.
    kind = ctypes.PYFUNCTYPE(None, ctypes.py_object, *[ctypes.c_ssize_t] + [ctypes.c_void_p] * 3)
    loop = kind(engine.link(engine.emit(engine.parse(_LOOP)), "gather"))
    return lambda items, n, out: loop(items, n, item, function, out)
