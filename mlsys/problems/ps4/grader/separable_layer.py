"""How the depthwise-separable layer is judged."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import numpy as np

from mlsys.inference.layers import counting
from mlsys.inference.layers import separable as package
from mlsys.problems.coerce import short
from mlsys.problems.compare import differs
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps3.grader.first_off import first_off

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def separable(x, depth, point, stride):
    c, h, w = x.shape
    o, k = len(point), depth.shape[1]
    r = k // 2
    wide = np.pad(x, ((0, 0), (r, r), (r, r)), mode="edge")
    z = 0.0
    for i in range(k):
        for j in range(k):
            z = z + depth[:, i, j, None, None] * wide[:, i : i + h : stride, j : j + w : stride]
    z = np.clip(z, 0, 6)
    pixels = math.ceil(h / stride) * math.ceil(w / stride)
    return np.tensordot(point, z, axes=1), pixels * c * (k * k + o)


def loops(x, depth, point, stride):
    c, h, w = x.shape
    o, k = point.shape[0], depth.shape[1]
    y = [[[0.0 for _ in range(0, w, stride)] for _ in range(0, h, stride)] for _ in range(o)]
    work = 0
    for a, top in enumerate(range(0, h, stride)):
        for b, left in enumerate(range(0, w, stride)):
            for ch in range(c):
                z = 0.0
                for i in range(k):
                    for j in range(k):
                        row = min(max(top + i - k // 2, 0), h - 1)
                        column = min(max(left + j - k // 2, 0), w - 1)
                        z += depth[ch, i, j] * x[ch, row, column]
                        work += 1
                for out in range(o):
                    y[out][a][b] += point[out, ch] * min(max(z, 0.0), 6.0)
                    work += 1
    return y, work


def in_torch(x, depth, point, stride):
    r = depth.shape[1] // 2
    x, depth, point = (torch.as_tensor(a) for a in (x, depth, point))
    rows = torch.arange(-r, x.shape[1] + r).clamp(0, x.shape[1] - 1)
    columns = torch.arange(-r, x.shape[2] + r).clamp(0, x.shape[2] - 1)
    z = torch.nn.functional.conv2d(x[:, rows][:, :, columns], depth[:, None], stride=stride, groups=len(x))
    y = torch.nn.functional.conv2d(torch.nn.functional.relu6(z), point[:, :, None, None])
    return y, z.numel() * depth[0].numel() + z.numel() * len(point)


PADDED, CLIPPED = 'np.pad(x, ((0, 0), (r, r), (r, r)), mode="edge")', "z = np.clip(z, 0, 6)"
WINDOW = "wide[:, i : i + h : stride, j : j + w : stride]"
PIXELS, WORK = "math.ceil(h / stride) * math.ceil(w / stride)", "pixels * c * (k * k + o)"
OUT = "np.tensordot(point, z, axes=1)"

WRONG = edits(
    separable,
    zeros_around=(
        "The image is padded with zeros here. It is continued by its edge: beyond it lies the nearest pixel.",
        PADDED,
        "np.pad(x, ((0, 0), (r, r), (r, r)))",
    ),
    mirrored=(
        "Beyond the edge lies the nearest pixel, again and again; this mirrors the image.",
        PADDED,
        'np.pad(x, ((0, 0), (r, r), (r, r)), mode="symmetric")',
    ),
    turned=(
        "The kernel is turned by half a turn here, as in a convolution in mathematics. Nets do not: depth[c, 0, 0] "
        "goes with the pixel above and to the left.",
        "depth[:, i, j, None, None]",
        "depth[:, k - 1 - i, k - 1 - j, None, None]",
    ),
    transposed=(
        "The first index of a kernel counts rows, the second columns.",
        "depth[:, i, j,",
        "depth[:, j, i,",
    ),
    not_cut=("Between the two convolutions the values are cut to [0, 6].", CLIPPED, "pass"),
    cut_below_alone=("Values above 6 are cut too: ReLU6.", CLIPPED, "z = np.maximum(z, 0)"),
    cut_at_the_end=(
        "The cut to [0, 6] stands between the two convolutions, and not after both.",
        CLIPPED,
        "pass",
        OUT,
        f"np.clip({OUT}, 0, 6)",
    ),
    cut_twice=("After the second convolution nothing is cut.", OUT, f"np.clip({OUT}, 0, 6)"),
    strides_from_the_middle=(
        "With a stride, the first output is centred on the first pixel, as without one; here they begin further in.",
        WINDOW,
        "wide[:, np.minimum(np.arange(0, h, stride) + stride // 2, h - 1) + i][:, :, np.minimum(np.arange(0, w, stride)"
        " + stride // 2, w - 1) + j]",
    ),
    channels_summed=(
        "Each channel is convolved with its own kernel and stays by itself; here they are added up before the cut.",
        CLIPPED,
        "z = np.clip(np.broadcast_to(z.sum(axis=0), z.shape), 0, 6)",
    ),
    one_kernel=(
        "Each channel has a kernel of its own; here the first serves all.",
        "depth[:, i, j, None, None]",
        "depth[0, i, j]",
    ),
    cost_of_dense=(
        "That is what a dense convolution of the same shape costs. Here each channel costs k * k products a pixel, and "
        "then o to mix it in.",
        WORK,
        "pixels * c * k * k * o",
    ),
    cost_of_one=(
        "That is what the depthwise half costs: the mixing of the channels takes o products a channel and pixel more.",
        WORK,
        "pixels * c * k * k",
    ),
    cost_of_mixing=(
        "That is what the pointwise half costs: the depthwise one is missing.",
        WORK,
        "pixels * c * o",
    ),
    cost_at_the_input=(
        "The cost is that of the output's pixels: with a stride there are fewer.",
        PIXELS,
        "h * w",
    ),
    pixels_cut_off=(
        "With a stride the output has ceil(h / stride) rows: the last one counts though it is not full.",
        PIXELS,
        "max(h // stride, 1) * max(w // stride, 1)",
    ),
    sums_counted_too=("A product with its sum counts as one; here they are two.", WORK, f"2 * {WORK}"),
    parameters=(
        "These are the weights; asked are the multiply-adds, which each pixel needs anew.",
        WORK,
        "c * (k * k + o)",
    ),
)

PASTE = f"""
import torch
from torch import Tensor, nn
from typing import NamedTuple

def whole(least, **named):
    return next(iter(named.values()))

{inspect.getsource(package.DepthwiseSeparable)}

{inspect.getsource(counting.Cost)}

{inspect.getsource(counting.separable_cost)}

def separable(x, depth, point, stride):
    o, c = point.shape
    layer = DepthwiseSeparable(c, o, stride, depth.shape[1]).double()
    layer.depthwise.weight.data = torch.as_tensor(depth)[:, None]
    layer.pointwise.weight.data = torch.as_tensor(point)[:, :, None, None]
    y = layer.linear(torch.as_tensor(x)[None])[0]
    return y, separable_cost(c, o, depth.shape[1], y[0].numel()).multiply_adds
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The output to rounding, the count exactly; whether the other is right."""
    given, stride = case.given, case.given["stride"]
    _, h, w = given["x"].shape
    rows, columns = -(-h // stride), -(-w // stride)

    def told(name: str, i: int) -> str:
        return f"y[{i // (rows * columns)}, {i // columns % rows}, {i % columns}]"

    output = first_off({"y": arrays["y"]}, {"y": expected["y"]}, told, rtol=1e-4, atol=1e-5)
    if not differs(arrays["work"], expected["work"], 1e-9, 0.0):
        return output
    c, k = given["depth"].shape[:2]
    shapes = f"{c} channels in, {len(given['point'])} out, {k} by {k} and {rows} by {columns} pixels out"
    text = f"work, for {shapes}, should be {short(expected['work'])}; it is {short(arrays['work'])}."
    return Verdict(0.0, f"The output is right; {text}" if output.score == 1 else output.message)


def nothing(x, depth, point, stride):
    _, h, w = x.shape
    return np.zeros((len(point), math.ceil(h / stride), math.ceil(w / stride))), 0


GRADER = Grader(
    reference=Answer(separable),
    right=answers(loops, in_torch),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(nothing),
    judge=judge,
)
