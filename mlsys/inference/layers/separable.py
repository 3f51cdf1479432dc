"""MobileNet's block: a convolution within each channel, then a mixing of the channels.

Source: Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto & Adam (2017), MobileNets.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mlsys.core.checks import positive, whole


def thinned(channels: int, multiplier: float, divisor: int = 8) -> int:
    """MobileNet's width multiplier: about multiplier * channels, a multiple of `divisor`, at least that.

    multiplier : > 0; 1, 0.75, 0.5, 0.25 in the paper. Both cost and parameters fall about with its square.
    """
    exact = whole(1, channels=channels) * positive(multiplier=multiplier)
    return max(divisor, int(exact / divisor + 0.5) * divisor)


class DepthwiseSeparable(nn.Module):
    """relu(norm(pointwise(relu(norm(depthwise(x)))))): k**2 + outputs products a channel and pixel, not k**2 * outputs.

        depthwise: z[c] = sum_ij D[c, i, j] x[c, moved by ij];  pointwise: y[o] = sum_c P[o, c] z[c]

    forward(x (b, inputs, h, w)) -> (b, outputs, ceil(h / stride), ceil(w / stride)), k odd
    linear(x) : the two convolutions alone, without norms and relus
    Against a dense convolution of the same shape it needs 1 / outputs + 1 / k**2 of the multiply-adds.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> None:
        super().__init__()
        inputs, outputs = whole(1, inputs=inputs), whole(1, outputs=outputs)
        if whole(1, kernel=kernel) % 2 == 0:
            raise ValueError(f"kernel must be odd, so that it has a middle; got {kernel}.")
        self.depthwise = nn.Conv2d(
            inputs, inputs, kernel, whole(1, stride=stride), kernel // 2, groups=inputs, bias=False
        )
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)])

    def forward(self, x: Tensor) -> Tensor:
        x = self.norms[0](self.depthwise(x)).relu()
        return self.norms[1](self.pointwise(x)).relu()

    def linear(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))

    def dense(self) -> Tensor:
        """The dense convolution that `linear` is, W[o, c, i, j] = P[o, c] * D[c, i, j]: rank one for each channel."""
        return self.pointwise.weight * torch.squeeze(self.depthwise.weight, 1)
