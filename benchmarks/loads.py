"""What an optimiser is asked to move: one large tensor, ResNet-50's list of shapes, many small tensors."""

from __future__ import annotations

from math import prod

import torch

Shape = tuple[int, ...]


def resnet50() -> list[Shape]:
    """The 161 parameters of ResNet-50 (He et al., 2016), 25,557,032 numbers, from the architecture's definition."""
    shapes: list[Shape] = []

    def convolution(out: int, into: int, size: int) -> None:
        shapes.extend([(out, into, size, size), (out,), (out,)])  # and the batch norm's scale and shift

    convolution(64, 3, 7)
    into = 64
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            convolution(width, into, 1)
            convolution(width, width, 3)
            convolution(4 * width, width, 1)
            if block == 0:
                convolution(4 * width, into, 1)  # the shortcut
            into = 4 * width
    shapes.extend([(1000, 2048), (1000,)])
    return shapes


LOADS: dict[str, list[Shape]] = {
    "one 20M": [(20_000_000,)],
    "ResNet-50": resnet50(),
    "2,000 x 1,024": [(1024,)] * 2000,
}


def elements(shapes: list[Shape]) -> int:
    """Numbers in all of them."""
    return sum(map(prod, shapes))


def parameters(shapes: list[Shape], seed: int = 0) -> list[torch.nn.Parameter]:
    """Parameters with gradients, of ordinary sizes: no zeros, no numbers too small to be normal."""
    generator = torch.Generator().manual_seed(seed)
    made = []
    for shape in shapes:
        p = torch.nn.Parameter(torch.randn(shape, generator=generator))
        p.grad = torch.randn(shape, generator=generator) * 0.01
        made.append(p)
    return made
