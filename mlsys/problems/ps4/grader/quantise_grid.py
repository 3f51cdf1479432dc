"""How quantisation is judged."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import numpy as np

from mlsys.problems.coerce import short
from mlsys.problems.compare import differs
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.quant import grid

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def quantise(x, bits, scheme, drop):
    n = x.shape[1]
    if scheme == "symmetric":
        low, high = 1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1
        scale = np.sort(np.abs(x), axis=1)[:, n - 1 - drop] / high
        scale = np.where(scale == 0, 1.0, scale)
        zero = np.zeros(len(x))
    else:
        low, high = 0, 2**bits - 1
        ranked = np.sort(x, axis=1)
        least, most = np.minimum(ranked[:, drop], 0), np.maximum(ranked[:, n - 1 - drop], 0)
        scale = np.where(most == least, 1.0, (most - least) / high)
        zero = np.floor(-least / scale + 0.5)
    steps = x / scale[:, None]
    whole = np.sign(steps) * np.floor(np.abs(steps) + 0.5)
    return np.clip(whole + zero[:, None], low, high), scale, zero


def loops(x, bits, scheme, drop):
    q, scales, zeros = [], [], []
    for row in x:
        if scheme == "symmetric":
            high = 2 ** (bits - 1) - 1
            low, least, most = -high, 0.0, sorted(abs(v) for v in row)[-1 - drop]
            span = high
        else:
            low, high = 0, 2**bits - 1
            ranked, span = sorted(row), high
            least, most = min(ranked[drop], 0.0), max(ranked[-1 - drop], 0.0)
        scale = (most - least) / span or 1.0
        zero = math.floor(-least / scale + 0.5) if scheme == "affine" else 0
        codes = []
        for v in row:
            size = int(abs(v) / scale + 0.5)
            codes.append(max(low, min(high, (size if v > 0 else -size) + zero)))
        q.append(codes)
        scales.append(scale)
        zeros.append(zero)
    return q, scales, zeros


def in_torch(x, bits, scheme, drop):
    x = torch.as_tensor(x)
    high = 2 ** (bits - (scheme == "symmetric")) - 1
    if scheme == "symmetric":
        low, scale = -high, x.abs().sort(dim=1, descending=True).values[:, drop] / high
        zero = torch.zeros(len(x), dtype=torch.int64)
        scale[scale == 0] = 1
    else:
        low, ranked = 0, x.sort(dim=1).values
        least, most = ranked[:, drop].clamp(max=0), ranked[:, -1 - drop].clamp(min=0)
        scale = (most - least) / high
        scale[scale == 0] = 1
        zero = (-least / scale + 0.5).floor().long()
    steps = x / scale[:, None]
    whole = torch.where(steps < 0, (steps - 0.5).ceil(), (steps + 0.5).floor()).long()
    return (whole + zero[:, None]).clamp(low, high), scale, zero


def in_float32(x, bits, scheme, drop):
    x = x.astype(np.float32)
    if scheme == "symmetric":
        high = 2 ** (bits - 1) - 1
        low, least, most = -high, 0, np.sort(np.abs(x))[:, ::-1][:, drop]
    else:
        low, high, ranked = 0, 2**bits - 1, np.sort(x)
        least, most = np.minimum(ranked[:, drop], 0), np.maximum(ranked[:, -1 - drop], 0)
    scale = (most - least) / np.float32(high)
    scale[scale == 0] = 1
    zero = np.floor(-least / scale + np.float32(0.5)).astype(int) * (scheme == "affine")
    steps = x / scale[:, None]
    return (
        np.clip(np.trunc(steps + np.copysign(np.float32(0.5), steps)) + zero[:, None], low, high),
        scale,
        zero,
    )


ROUND = "np.sign(steps) * np.floor(np.abs(steps) + 0.5)"
SYMMETRIC = "np.sort(np.abs(x), axis=1)[:, n - 1 - drop] / high"
LEVEL = "np.clip(whole + zero[:, None], low, high)"
ENDS = "np.minimum(ranked[:, drop], 0), np.maximum(ranked[:, n - 1 - drop], 0)"
AFFINE = "(most - least) / high"

WRONG = edits(
    quantise,
    halves_to_even=(
        "Halves go to the even number here, as np.round and round take them; they should go away from 0: 2.5 to 3.",
        ROUND,
        "np.round(steps)",
    ),
    halves_up=(
        "floor(x + 0.5) takes halves up, so that -2.5 becomes -2. They should go away from 0: -2.5 to -3.",
        ROUND,
        "np.floor(steps + 0.5)",
    ),
    cut_off=("The digits after the point are cut off here: round to the nearest.", ROUND, "np.trunc(steps)"),
    not_clipped=(
        "What lies beyond the range must saturate: clip to the lowest and the highest level.",
        LEVEL,
        "whole + zero[:, None]",
    ),
    drop_ignored=(
        "`drop` is left out: the range is that of the numbers without the outliers.",
        SYMMETRIC,
        "np.abs(x).max(axis=1) / high",
        ENDS,
        "np.minimum(ranked[:, 0], 0), np.maximum(ranked[:, -1], 0)",
    ),
    drop_at_one_end=(
        "Affine, `drop` numbers are left out at each end; here it is done at the upper end alone.",
        "ranked[:, drop]",
        "ranked[:, 0]",
    ),
    uneven_levels=(
        "Symmetric means as many levels to each side: from -(2**(bits-1) - 1), so that x and -x get codes of one size.",
        SYMMETRIC,
        "np.sort(np.abs(x), axis=1)[:, n - 1 - drop] / 2 ** (bits - 1)",
        "low, high = 1 - 2 ** (bits - 1), ",
        "low, high = -(2 ** (bits - 1)), ",
    ),
    intervals_miscounted=(
        "From level 0 to level 2**bits - 1 there are 2**bits - 1 steps, one less than there are levels.",
        AFFINE,
        "(most - least) / (high + 1)",
    ),
    without_zero=(
        "The range must hold 0, so that 0 has a level of its own: widen it to min(.., 0) and max(.., 0).",
        ENDS,
        "ranked[:, drop], ranked[:, n - 1 - drop]",
    ),
    zero_not_whole=(
        "The zero point is a level, a whole number: else 0 itself is not represented exactly.",
        "np.floor(-least / scale + 0.5)",
        "-least / scale",
        LEVEL,
        "np.clip(np.floor(steps + zero[:, None] + 0.5), low, high)",
    ),
    from_the_least=(
        "This counts the levels from the least number, round((x - least) / scale). Then 0 falls between two levels: "
        "round x / scale, and add the zero point.",
        LEVEL,
        "np.clip(whole if scheme == 'symmetric' else np.floor((x - least[:, None]) / scale[:, None] + 0.5), low, high)",
    ),
    one_scale=(
        "There is one scale here for all rows; each row has its own.",
        SYMMETRIC,
        "np.full(len(x), np.sort(np.abs(x), axis=1)[:, n - 1 - drop].max()) / high",
        ENDS,
        "0 * x[:, 0] + np.minimum(ranked[:, drop].min(), 0), 0 * x[:, 0] + np.maximum(ranked[:, -1 - drop].max(), 0)",
    ),
    signed_codes=(
        "Affine levels count from 0 to 2**bits - 1; these begin at -2**(bits-1).",
        LEVEL,
        LEVEL + " - (2 ** (bits - 1) if scheme == 'affine' else 0)",
    ),
    zero_rows_divided=(
        "",
        "np.where(scale == 0, 1.0, scale)",
        "scale",
        "np.where(most == least, 1.0, (most - least) / high)",
        AFFINE,
    ),
    scale_upside_down=(
        "This is the number of levels to a unit, 1 / scale: scale is the width of a step, in units of x.",
        "low, high), scale, zero",
        "low, high), 1 / scale, zero",
    ),
    in_bytes=(
        "Codes above 127 do not fit into int8, and turn negative.",
        LEVEL,
        LEVEL + ".astype(np.int64).astype(np.int8)",
    ),
    zero_exchanged=("The order is (q, scale, zero).", "low, high), scale, zero", "low, high), zero, scale"),
)

PASTE = f"""
{inspect.getsource(grid).replace("from __future__ import annotations", "")}

levels_quantise = quantise

def quantise(x, bits, scheme, drop):
    there = grid_of(x.min(axis=1), x.max(axis=1), bits, "symmetric" if scheme == "symmetric" else "unsigned", axis=0)
    return levels_quantise(x, there), there.scale, there.zero_point
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """Scales to rounding; zero points and levels exactly, with the number that a wrong level stands for."""
    x = case.given["x"]
    for name in ("scale", "zero"):
        off = np.flatnonzero(differs(arrays[name], expected[name], 1e-5, 1e-9))
        if off.size:
            r = int(off[0])
            want, got = short(expected[name][r]), short(arrays[name][r])
            text = (
                f"{name} of row {r + 1}, whose numbers go from {short(x[r].min())} to {short(x[r].max())}, "
            )
            return Verdict(0.0, f"{text}should be {want}; it is {got}.")
    wrong = np.argwhere(arrays["q"] != expected["q"])
    if len(wrong):
        r, k = wrong[0]
        steps = short(x[r, k] / expected["scale"][r])
        text = f"{short(x[r, k])} in row {r + 1} is {steps} steps from 0, so its level is {short(expected['q'][r, k])}"
        return Verdict(0.0, f"{text}; it is {short(arrays['q'][r, k])}.")
    return Verdict(1.0)


def nothing(x, bits, scheme, drop):
    return 0 * x, np.ones(len(x)), np.zeros(len(x))


GRADER = Grader(
    reference=Answer(quantise),
    right=answers(loops, in_torch, in_float32),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(nothing),
    judge=judge,
)
