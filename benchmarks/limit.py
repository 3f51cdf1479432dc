"""The bandwidth limit: an in-place kernel with the same reads and writes and next to no arithmetic, on flat memory.

It runs over one flat buffer a stream, on the same threads; so nothing that keeps these streams moving is faster.
(A copy or a triad is not the limit: what is written in place need not be fetched for writing.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from benchmarks.loads import Shape
from mlsys.kernels.cpu import Plan


def one(w, g):
    w = w + g
    return (w,)


def two(w, g, a):
    w = w + g
    a = a + g
    return w, a


def three(w, g, a, b):
    w = w + g
    a = a + g
    b = b + g
    return w, a, b


def four(w, g, a, b, c):
    w = w + g
    a = a + g
    b = b + g
    c = c + g
    return w, a, b, c


_BODIES = (one, two, three, four)


def limit(shapes: Sequence[Shape], slots: int) -> Callable[[], None]:
    """A step that reads 2 + slots and writes 1 + slots streams of float32 tensors of these shapes.

    For the bandwidth limit of a list of tensors, pass the shape of one that holds as many numbers.
    """
    params = [torch.zeros(shape) for shape in shapes]
    grads = [torch.full_like(w, 1e-3) for w in params]
    plan = Plan(_BODIES[slots], params, [tuple(torch.zeros_like(w) for _ in range(slots)) for w in params])
    return lambda: plan.step(grads, ())
