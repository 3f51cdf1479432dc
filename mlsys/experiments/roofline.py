"""The two numbers of a machine's roofline."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np


def shortest_s(work: Callable[[], object], repeats: int) -> float:
    """The shortest of many runs, in seconds: what the machine can do when nobody disturbs it."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def measured(repeats: int = 200) -> dict[str, float]:
    """bandwidth_bytes_s : adding one large array to another in place, two reads and a write a number
    peak_ops_s : a float32 matrix product, a multiply and an add a term
    """
    a, b = np.ones(2**24, np.float32), np.ones(2**24, np.float32)
    M = np.ones((1024, 1024), np.float32)
    add_s = shortest_s(lambda: np.add(a, b, out=a), repeats)
    product_s = shortest_s(lambda: M @ M, repeats)
    return {"bandwidth_bytes_s": 3 * a.nbytes / add_s, "peak_ops_s": 2 * 1024**3 / product_s}
