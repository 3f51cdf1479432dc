"""A forward pass by the size of its batch, on one thread: operations, bytes that must move, and the time it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mlsys.core.seeds import generator
from mlsys.inference.metrics.timing import compare
from mlsys.inference.serve.models import model
from mlsys.models import torch_mlp
from mlsys.models.networks import conv_net

LARGEST = {"wide-mlp:4096": 256, "conv-net:32": 64, "digits-mlp": 256}  # batch of each model
LAYER, LAYER_LARGEST = 4096, 64  # a dense layer of so many units, by itself, and its largest batch
BLOCKS = 10  # of rounds, in each of which every batch size of every model has its turn
CACHE_BYTES = 2**28  # of the arrays that the bandwidth is measured with: no cache holds them


class Work(NamedTuple):
    """What a forward pass does at least; an example's, but for the weights.

    operations : of its convolutions and linear maps, a multiply-add is two
    weight_bytes : read once a pass, whatever the batch
    activation_bytes : what goes into and comes out of each of those layers
    """

    operations: int
    weight_bytes: int
    activation_bytes: int

    def moved_bytes(self, batch: int) -> int:
        """weights once, activations for each example."""
        return self.weight_bytes + batch * self.activation_bytes

    def intensity(self, batch: int) -> float:
        """Operations per byte moved."""
        return batch * self.operations / self.moved_bytes(batch)

    def bound_s(self, batch: int, bandwidth_bytes_s: float, peak_ops_s: float) -> float:
        """The roofline's: the longer of moving the bytes and of computing."""
        return max(self.moved_bytes(batch) / bandwidth_bytes_s, batch * self.operations / peak_ops_s)


def work(module: nn.Module, example: Tensor) -> Work:
    """Counted by hooks while the module computes this one example, (1, …)."""
    operations = activations = weights = 0

    def see(layer: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal operations, activations, weights
        operations += (
            2 * output.numel() * layer.weight[0].numel()
        )  # each output sums over one row of the weight
        activations += 4 * (inputs[0].numel() + output.numel())
        weights += 4 * sum(p.numel() for p in layer.parameters())

    layers = [part for part in module.modules() if isinstance(part, (nn.Conv2d, nn.Linear))]
    hooks = [layer.register_forward_hook(see) for layer in layers]
    try:
        with torch.no_grad():
            module.eval()(example)
    finally:
        for hook in hooks:
            hook.remove()
    return Work(operations, weights, activations)


def works() -> dict[str, Work]:
    """Of the served models."""
    with torch.device("meta"):  # shapes are enough
        wide, digits = torch_mlp((64, 4096, 4096, 10)), torch_mlp((64, 64, 10))
        row = torch.empty(1, 64)
    image = torch.zeros(1, 1, 32, 32)
    return {
        "wide-mlp:4096": work(wide, row),
        "conv-net:32": work(conv_net(1, 10, 32, 32, blocks=2), image),
        "digits-mlp": work(digits, row),
    }


def batches(name: str) -> list[int]:
    """Of this model: 1, 2, 4, … up to its largest."""
    return batches_to(LARGEST[name])


def batches_to(largest: int) -> list[int]:
    """The powers of two up to this one."""
    return [2**k for k in range(largest.bit_length())]


def measured(rounds: int = 5, blocks: int = BLOCKS) -> dict[str, Any]:
    """bandwidth_bytes_s : reading two large arrays;  peak_ops_s : a float32 matrix product, 1024 a side
    pass_s : model -> batch size -> the median time of a forward pass in each block of so many rounds
    layer_s : `linear`, torch's own, and `packed` -> the same of a dense layer whose weights are, or are not, copied
    into the form that the product wants at every call
    """
    with one_thread():
        a = torch.ones(CACHE_BYTES // 8)
        b, M = torch.ones_like(a), torch.ones(1024, 1024)
        read_s, product_s = (shortest_s(call, 10 * rounds) for call in (lambda: a @ b, lambda: M @ M))
        pass_s = {name: _passes(name, rounds, blocks) for name in LARGEST}
        layer_s = _layers(rounds, blocks)
    return {
        "bandwidth_bytes_s": 2 * a.nbytes / read_s,
        "peak_ops_s": 2 * 1024**3 / product_s,
        "pass_s": pass_s,
        "layer_s": layer_s,
    }


def layer_work() -> Work:
    """Of the dense layer, its bias aside."""
    return Work(2 * LAYER**2, 4 * LAYER**2, 8 * LAYER)


def packed_linear(weight: Tensor, bias: Tensor, batch: int) -> Callable[[Tensor], Tensor]:
    """x -> weight x + bias with the weight packed once, for batches of this size: what torch's compiler uses."""
    packed = torch.ops.mkldnn._reorder_linear_weight(weight, batch)
    return lambda x: torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")


def _layers(rounds: int, blocks: int) -> dict[str, dict[str, list[float]]]:
    rng = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(LAYER, LAYER, generator=rng), torch.zeros(LAYER)
    found: dict[str, dict[str, list[float]]] = {"linear": {}, "packed": {}}
    with torch.inference_mode():
        for size in batches_to(LAYER_LARGEST):
            x = torch.randn(size, LAYER, generator=rng)
            packed = packed_linear(weight, bias, size)
            calls = {
                "linear": lambda x=x: nn.functional.linear(x, weight, bias),
                "packed": lambda x=x, packed=packed: packed(x),  # type: ignore[misc]
            }
            for name, timing in compare(calls, rounds * blocks).items():
                found[name][str(size)] = _medians(timing.latency_s, blocks)
    return found


def _medians(latency_s: np.ndarray, blocks: int) -> list[float]:
    return [float(np.median(part)) for part in np.split(latency_s, blocks)]


def _passes(name: str, rounds: int, blocks: int) -> dict[str, list[float]]:
    predict, rng = model(name), generator(0, "forward-pass", name)
    calls: dict[str, Callable[[], Any]] = {}
    for size in batches(name):
        x = rng.standard_normal((size, predict.inputs)).astype(np.float32)
        calls[str(size)] = lambda x=x: predict.predict(x)  # type: ignore[misc]
    timings = compare(calls, rounds * blocks)
    return {size: _medians(timing.latency_s, blocks) for size, timing in timings.items()}


def shortest_s(call: Callable[[], Any], repeats: int) -> float:
    """The shortest of many calls: what the machine can do when nobody disturbs it."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


@contextmanager
def one_thread() -> Iterator[None]:
    """torch on a single thread, as `mlsys serve` has it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
