"""The two numbers of a machine's roofline, and what they leave open: Adam's body in cache, and beside a gradient."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

CACHED, TINY = (
    2**15,
    64,
)  # parameters: four arrays of 128 KiB, which a core's own cache holds; next to nothing
WIDTH, BATCH = 1024, 128  # of the network beside whose gradient Adam's step is timed


def shortest_s(work: Callable[[], object], repeats: int) -> float:
    """The shortest of many runs, in seconds: what the machine can do when nobody disturbs it."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def measured(repeats: int = 200) -> dict[str, float]:
    """All by all cores. bandwidth_bytes_s : adding one large array to another in place, two reads and a write a number
    peak_ops_s : a float32 matrix product, a multiply and an add a term
    adam_cached_s : Adam's body, a parameter, on arrays that stay in each core's cache, less the cost of starting it
    gradient_s, adam_s : of a network of two square layers, the gradient of a batch and Adam's step
    """
    import torch

    a, b, M = torch.ones(2**24), torch.ones(2**24), torch.ones(1024, 1024)
    add_s = shortest_s(lambda: a.add_(b), repeats)
    product_s = shortest_s(lambda: M @ M, repeats)
    cores = torch.get_num_threads()
    torch.set_num_threads(1)  # so short a step would time the threads' meeting; each core has its own cache
    starting_s, cached_s = (adam_step_s(size, 10 * repeats) for size in (TINY, CACHED))
    torch.set_num_threads(cores)
    gradient_s, adam_s = beside_gradient_s(max(1, repeats // 10))
    return {
        "bandwidth_bytes_s": 3 * a.nbytes / add_s,
        "peak_ops_s": 2 * 1024**3 / product_s,
        "adam_cached_s": (cached_s - starting_s) / (CACHED - TINY) / cores,
        "gradient_s": gradient_s,
        "adam_s": adam_s,
    }


def _adam(params: Any) -> Any:
    from mlsys.optim import Adam

    return Adam(params, lr=1e-3)


def adam_step_s(size: int, repeats: int) -> float:
    """Adam's step of one parameter tensor of this size, gradient given."""
    import torch

    p = torch.nn.Parameter(torch.ones(size))
    p.grad = torch.ones(size)
    return shortest_s(_adam([p]).step, repeats)


def beside_gradient_s(repeats: int) -> tuple[float, float]:
    """(gradient of a batch, Adam's step) of a network of two square layers."""
    import torch

    layers = (torch.nn.Linear(WIDTH, WIDTH), torch.nn.Tanh(), torch.nn.Linear(WIDTH, WIDTH))
    network = torch.nn.Sequential(*layers)
    x = torch.randn(BATCH, WIDTH, generator=torch.Generator().manual_seed(0))

    def gradient() -> None:
        network.zero_grad()
        network(x).square().mean().backward()

    gradient_s = shortest_s(gradient, repeats)
    return gradient_s, shortest_s(_adam(network.parameters()).step, repeats)
