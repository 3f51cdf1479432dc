"""Memory of a forward pass and of a training step: what must be kept, counted, and the peak that a process reaches."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from mlsys.core.checks import whole
from mlsys.inference.metrics.size import peak_memory
from mlsys.models import torch_mlp
from mlsys.models.networks import conv_net

LAYERS, WIDTH = 16, 1024
BATCHES = (1, 16, 64, 256)
INFERENCE, GRAPH, TRAINING = "inference", "forward, graph kept", "training step"
MODES = (INFERENCE, GRAPH, TRAINING)
M_MMAP_THRESHOLD = -3  # mallopt's name of it


def deep_mlp() -> nn.Module:
    """LAYERS square layers of WIDTH with tanh between them."""
    return torch_mlp((WIDTH,) * (LAYERS + 1))


NETS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "MLP": (deep_mlp, (WIDTH,)),
    "conv net": (lambda: conv_net(1, 10, 32, 32, blocks=2), (1, 32, 32)),
}  # and the shape of an example


def kept_bytes(module: nn.Module, x: Tensor) -> int:
    """What the forward pass of a batch leaves for the backward pass, weights and buffers aside, the input included."""
    own = {p.untyped_storage().data_ptr() for p in (*module.parameters(), *module.buffers())}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        y = module(x)  # alive until the sum is taken, and the graph with it: no address comes twice
        total = sum(kept.values())
    del y
    return total


def step(net: str, batch: int, mode: str) -> int:
    """Bytes by which the peak of resident memory rises above the loaded model, in this process, which runs it once.

    A pass of one example goes before, and a training step of a single weight: they load the libraries, of which the
    compiler that torch imports with its first optimiser alone has more than a hundred megabytes.
    """
    torch.set_num_threads(1)
    _give_back()
    make, shape = NETS[net]
    module, x = make(), torch.ones(whole(1, batch=batch), *shape)
    with torch.inference_mode():
        module.eval()(x[:1])
    _update(nn.Linear(1, 1), torch.ones(1, 1))
    module.train(mode == TRAINING)

    def run() -> Tensor:
        if mode == INFERENCE:
            with torch.inference_mode():
                return module(x)
        return _update(module, x) if mode == TRAINING else module(x)

    return peak_memory(run)[1].added_bytes


def _give_back() -> None:
    """Have every large block returned when it is freed, where the C library is glibc.

    By itself it begins to keep blocks of a size once one was freed, and then chance (where the heap begins) decides
    how well they are used again: the same pass took 49 or 75 MB.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 2**17)


def _update(module: nn.Module, x: Tensor) -> Tensor:
    """A step of Adam, by torch's loop over the tensors."""
    y = module(x)
    y.square().mean().backward()
    torch.optim.Adam(module.parameters(), foreach=False).step()
    return y


def measured(batches: tuple[int, ...] = BATCHES, nets: tuple[str, ...] = tuple(NETS)) -> dict[str, Any]:
    """net -> mode -> batch size -> the peak above the loaded model, in bytes, each in a fresh process."""
    found: dict[str, Any] = {net: {mode: {} for mode in MODES} for net in nets}
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as fresh:
        for net in nets:
            for mode in MODES:
                for batch in batches:
                    found[net][mode][str(batch)] = fresh.submit(step, net, batch, mode).result()
    return found
