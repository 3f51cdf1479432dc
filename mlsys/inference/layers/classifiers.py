"""Small image classifiers of one shape, each built of another kind of layer."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mlsys.core.checks import whole
from mlsys.inference.layers.circulant import CirculantConv
from mlsys.inference.layers.separable import DepthwiseSeparable, thinned
from mlsys.inference.layers.shuffle import ShuffleUnit

Part = Callable[[int, int, int], nn.Module]  # inputs, outputs, stride
GROUPS, BLOCK = 4, 8  # of the shuffled nets and of the circulant ones; other widths are even


def _dense(inputs: int, outputs: int, stride: int) -> nn.Module:
    conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())


def _circulant(inputs: int, outputs: int, stride: int) -> nn.Module:
    return nn.Sequential(CirculantConv(inputs, outputs, BLOCK, stride), nn.BatchNorm2d(outputs), nn.ReLU())


PARTS: dict[str, Part] = {
    "dense": _dense,
    "separable": DepthwiseSeparable,
    "shuffle": lambda inputs, outputs, stride: ShuffleUnit(inputs, outputs, stride, GROUPS),
    "circulant": _circulant,
}
DIVISORS = {"shuffle": GROUPS, "circulant": BLOCK}


class Classifier(nn.Module):
    """What `classifier` builds."""

    def __init__(self, part: Part, width: int, channels: int, classes: int) -> None:
        super().__init__()
        self.channels = channels
        shape = ((width, 2 * width, 2), (2 * width, 2 * width, 1), (2 * width, 4 * width, 2))
        self.body = nn.Sequential(
            _dense(channels, width, 1), *(part(*sizes) for sizes in (*shape, (4 * width, 4 * width, 1)))
        )
        self.head = nn.Linear(4 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4 or x.shape[1] != self.channels:
            raise ValueError(f"x must be (b, {self.channels}, h, w); got {tuple(x.shape)}.")
        return self.head(self.body(x).mean((2, 3)))


def classifier(
    kind: str, multiplier: float = 1.0, channels: int = 1, classes: int = 10, seed: int = 0
) -> nn.Module:
    """Images (b, channels, h, w) -> logits (b, classes): a dense stem of 16 channels and four layers of one kind.

    kind : of PARTS;  multiplier : MobileNet's, on all widths, which go 16, 32, 32, 64, 64, halving the image twice; the
    first is a multiple of what the kind needs: 4 for shuffle, 8 for circulant, 2 for the others
    The same seed gives the same weights, and torch's global random numbers are left alone.
    Raises ValueError for another kind.
    """
    if kind not in PARTS:
        raise ValueError(f"no classifier {kind!r}. There is: {', '.join(PARTS)}.")
    width = thinned(16, multiplier, DIVISORS.get(kind, 2))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(whole(seed=seed))
        return Classifier(PARTS[kind], width, whole(1, channels=channels), whole(2, classes=classes))
