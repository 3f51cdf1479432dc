"""The threads that run a kernel: torch's own OpenMP team, so that the two never fight for a core.

A second pool (Numba's, or Python threads) loses half a core to torch's workers, which keep spinning for
milliseconds after each of torch's own parallel loops. So the kernel is handed to the very library torch runs
on. Where that cannot be found (macOS, Windows) Python threads do the same work. After a fork, where an OpenMP
team is lost, one thread does.
"""

from __future__ import annotations

import ctypes
import functools
import os
import threading
from collections.abc import Callable
from pathlib import Path

import torch

_KERNEL = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_forked = False


def _after_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@functools.cache
def _openmp() -> Callable[[int, int, int, int], None] | None:
    """GOMP_parallel(function, argument, threads, flags) of the OpenMP library that torch itself has loaded."""
    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        parallel = library.GOMP_parallel
    except (OSError, AttributeError):
        return None
    parallel.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
    parallel.restype = None
    return parallel


def run(kernel: int, head: int, units: int) -> None:
    """Let torch.get_num_threads() threads, but no more than there are units of work, run kernel(head)."""
    threads = 1 if _forked else min(torch.get_num_threads(), units)
    parallel = _openmp()
    if threads <= 1:
        _KERNEL(kernel)(head)
    elif parallel is not None:
        parallel(kernel, head, threads, 0)
    else:
        helpers = [threading.Thread(target=_KERNEL(kernel), args=(head,)) for _ in range(threads - 1)]
        for helper in helpers:
            helper.start()
        _KERNEL(kernel)(head)
        for helper in helpers:
            helper.join()
