"""ShuffleNet: pointwise convolutions in groups, and a shuffle so that the groups hear of each other.

Source: Zhang, Zhou, Lin & Sun (2018), ShuffleNet.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlsys.core.checks import whole


def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    """Channel g * n + i of x (b, groups * n, h, w) becomes channel i * groups + g: each group hands one to every other.

    channel_shuffle(., channels / groups) undoes it. No arithmetic, one pass over memory.
    Raises ValueError if groups does not divide the channels.
    """
    channels = x.shape[1]
    if channels % whole(1, groups=groups):
        raise ValueError(f"groups must divide the channels; got groups={groups}, {channels} channels.")
    return x.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)


class ShuffleUnit(nn.Module):
    """relu(x + branch(x)), or with stride 2 relu([mean3x3(x); branch(x)]).

        branch = norm(grouped 1x1) . norm(depthwise 3x3) . shuffle . relu(norm(grouped 1x1))

    forward(x (b, inputs, h, w)) -> (b, outputs, h / stride, w / stride), rounded up
    The middle has a quarter of the outputs, as in the paper, at least `groups` and a multiple of it.
    Raises ValueError if groups does not divide inputs and what the branch gives, if stride is neither 1 nor 2, if
    stride is 1 and outputs != inputs, or stride is 2 and outputs <= inputs.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, groups: int = 4) -> None:
        super().__init__()
        inputs, outputs, groups = whole(1, inputs=inputs), whole(1, outputs=outputs), whole(1, groups=groups)
        _check(inputs, outputs, stride, groups)
        self.stride, self.groups = stride, groups
        middle = max(1, outputs // (4 * groups)) * groups
        made = outputs if stride == 1 else outputs - inputs
        self.squeeze = nn.Conv2d(inputs, middle, 1, groups=groups, bias=False)
        self.depthwise = nn.Conv2d(middle, middle, 3, stride, 1, groups=middle, bias=False)
        self.expand = nn.Conv2d(middle, made, 1, groups=groups, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in (middle, middle, made))

    def forward(self, x: Tensor) -> Tensor:
        y = channel_shuffle(self.norms[0](self.squeeze(x)).relu(), self.groups)
        y = self.norms[2](self.expand(self.norms[1](self.depthwise(y))))
        if self.stride == 1:
            return (x + y).relu()
        return torch.cat([F.avg_pool2d(x, 3, 2, 1), y], dim=1).relu()

    def linear(self, x: Tensor) -> Tensor:
        """The branch without norms and relus."""
        return self.expand(self.depthwise(channel_shuffle(self.squeeze(x), self.groups)))


def _check(inputs: int, outputs: int, stride: int, groups: int) -> None:
    if stride not in (1, 2):
        raise ValueError(f"stride must be 1 or 2; got {stride!r}.")
    if stride == 1 and outputs != inputs:
        raise ValueError(f"outputs must be inputs = {inputs} where stride is 1; got {outputs}.")
    if stride == 2 and outputs <= inputs:
        raise ValueError(
            f"outputs must be more than inputs = {inputs} where stride is 2, since the inputs are among them; "
            f"got {outputs}."
        )
    made = outputs if stride == 1 else outputs - inputs
    if inputs % groups or made % groups:
        raise ValueError(
            f"groups must divide inputs and the branch's outputs; got groups={groups}, inputs={inputs}, {made}."
        )
