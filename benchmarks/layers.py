"""Efficient layers against the dense ones that they stand for, at inference, with as many threads as torch has."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.race import Contention, Race, Row, compare, seconds
from mlsys.inference.layers import CirculantLinear, DepthwiseSeparable, ShuffleUnit

# inputs = outputs -> how many times the dense layer's speed a circulant one must have
CIRCULANT = {1024: 6.3, 2048: 15.0, 4096: 30.0}
BLOCKS = (None, 256)  # None: one block, the whole matrix circulant
BATCHES = (1, 128)
# channels in and out, side of the image, batch: two of MobileNet's layers, and one with a batch
CONVOLUTIONS = ((64, 128, 56, 1), (256, 256, 28, 1), (128, 128, 28, 8))
SEPARABLE = 5.0
LAYOUTS = {"": torch.contiguous_format, ", channels last": torch.channels_last}
Calls = dict[str, Callable[[], Any]]


def circulant(n: int, batch: int, quick: bool) -> Iterator[Row]:
    """Block-circulant n x n by FFT, spectra kept, against torch's dense product; the goal is of one block and a batch,
    where a call's fixed cost of some microseconds does not decide."""
    x = torch.randn(batch, n)
    dense = nn.Linear(n, n)
    calls: Calls = {"torch dense": lambda: dense(x)}
    for block in BLOCKS:
        layer = CirculantLinear(n, n, block or n)
        calls[_blocks(block)] = lambda layer=layer: layer(x)
    with Contention() as others:
        times = seconds(calls, 6 if quick else 40, {})
    for block in BLOCKS:
        goal = CIRCULANT[n] if block is None and batch > 1 else None
        case = f"{n} x {n}, batch {batch}, {_blocks(block)}"
        yield compare(
            times,
            _blocks(block),
            "torch dense",
            race="circulant",
            case=case,
            metric="call_s",
            goal=goal,
            contention=others.share,
        )


def _blocks(block: int | None) -> str:
    return "one block" if block is None else f"blocks of {block}"


def convolution(inputs: int, outputs: int, size: int, batch: int, quick: bool) -> Iterator[Row]:
    """The separable pair and the shuffle unit's branch against torch's dense 3 x 3, in each layout and at its best."""
    layers: dict[str, tuple[nn.Module, Callable[[nn.Module], Callable[[Tensor], Any]]]] = {
        "torch dense": (nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), lambda layer: layer),
        "separable": (DepthwiseSeparable(inputs, outputs), lambda layer: layer.linear),
    }
    if inputs == outputs:
        layers["shuffle unit"] = ShuffleUnit(inputs, outputs), lambda layer: layer.linear
    calls: Calls = {}
    for layout, memory in LAYOUTS.items():
        x = torch.randn(batch, inputs, size, size).to(memory_format=memory)
        for name, (layer, of) in layers.items():
            # A copy, since .to(...) changes the layer itself.
            call = of(copy.deepcopy(layer).to(memory_format=memory))
            calls[name + layout] = lambda call=call, x=x: call(x)
    with Contention() as others:
        times = seconds(calls, 6 if quick else 40, {})
    for name in layers:
        times[f"{name}, best"] = min((times[name + layout] for layout in LAYOUTS), key=np.nanmedian)
    about: dict[str, Any] = {"metric": "call_s", "contention": others.share}
    case = f"{inputs} to {outputs} channels, {size} x {size}, batch {batch}"
    for name in list(layers)[1:]:
        goal = SEPARABLE if name == "separable" else None
        yield compare(times, f"{name}, best", "torch dense, best", race=name, case=case, goal=goal, **about)
        for layout in LAYOUTS:
            rows = case + (layout or ", contiguous")
            yield compare(times, name + layout, f"torch dense{layout}", race=name, case=rows, **about)


def run(quick: bool) -> Iterator[Row]:
    """Every size of circulant layer, every convolution; the seed of the weights does not matter to the time."""
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for n in CIRCULANT:
            for batch in BATCHES:
                yield from circulant(n, batch, quick)
        for sizes in CONVOLUTIONS:
            yield from convolution(*sizes, quick)


RACE = Race(
    name="layers",
    tests=("tests/inference/layers",),
    modules=("mlsys.inference.layers",),
    run=run,
)
