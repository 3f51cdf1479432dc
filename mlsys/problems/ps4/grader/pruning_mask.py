"""How pruning masks are judged."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import numpy as np

from mlsys.inference.compress import pruning
from mlsys.problems.coerce import short
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def prune_mask(w, size, keep, pattern):
    score = np.abs(w) * size
    mask = np.zeros(w.shape, dtype=bool)
    if pattern is None:
        order = np.argsort(-score.ravel(), kind="stable")
        mask.ravel()[order[:keep]] = True
        return mask
    n, m = pattern
    for row in range(len(w)):
        for start in range(0, w.shape[1], m):
            order = np.argsort(-score[row, start : start + m], kind="stable")
            mask[row, start + order[:n]] = True
    return mask


def loops(w, size, keep, pattern):
    rows, columns = len(w), len(size)
    n, m = pattern or (keep, rows * columns)
    places = [(r, c) for r in range(rows) for c in range(columns)]
    mask = [[0] * columns for _ in range(rows)]
    groups: dict = {}
    for r, c in places:
        groups.setdefault((r, c // m) if pattern else 0, []).append((-abs(w[r, c]) * size[c], r, c))
    for group in groups.values():
        for _, r, c in sorted(group)[:n]:
            mask[r][c] = 1
    return mask


def padded(w, size, keep, pattern):
    score = abs(w * size)
    if pattern is None:
        rank = np.argsort(np.argsort(-score, axis=None, kind="stable")).reshape(w.shape)
        return rank < keep
    n, m = pattern
    full = np.pad(score, ((0, 0), (0, -w.shape[1] % m)), constant_values=-1).reshape(len(w), -1, m)
    rank = np.argsort(np.argsort(-full, axis=2, kind="stable"), axis=2)
    return (rank < n).reshape(len(w), -1)[:, : w.shape[1]]


def in_torch(w, size, keep, pattern):
    score = torch.as_tensor(w).abs() * torch.as_tensor(size)
    if pattern is None:
        order = score.flatten().argsort(descending=True, stable=True)
        return torch.zeros(score.numel()).index_fill(0, order[:keep], 1.0).reshape(score.shape)
    parts = []
    for part in score.split(pattern[1], dim=1):
        order = part.argsort(dim=1, descending=True, stable=True)[:, : pattern[0]]
        parts.append(torch.zeros_like(part).scatter(1, order, 1.0))
    return torch.cat(parts, dim=1)


SCORE, WHOLE = "np.abs(w) * size", 'np.argsort(-score.ravel(), kind="stable")'
GROUP = 'np.argsort(-score[row, start : start + m], kind="stable")'
SPAN = "range(0, w.shape[1], m)"
BY_ROWS = """    for row in range(len(w)):
        for start in range(0, w.shape[1], m):
            order = np.argsort(-score[row, start : start + m], kind="stable")
            mask[row, start + order[:n]] = True
"""

WRONG = edits(
    prune_mask,
    magnitude_alone=(
        "The sizes of the inputs are left out: a weight counts by how much it adds to the output, |w| times the size "
        "of its input.",
        SCORE,
        "np.abs(w)",
    ),
    without_sign=(
        "This compares the weights with their signs. A weight of -3 matters as much as one of 3: take |w|.",
        SCORE,
        "w * size",
    ),
    divided=(
        "The score is |w| *times* the size of the input; here it is divided by it.",
        SCORE,
        "np.abs(w) / size",
    ),
    size_squared=("The size of the input goes in once, and not squared.", SCORE, "np.abs(w) * size**2"),
    the_least=(
        "This keeps the least important weights, and drops the others.",
        WHOLE,
        WHOLE.replace("-", "", 1),
        GROUP,
        GROUP.replace("-", "", 1),
    ),
    dropped_marked=(
        "The mask is turned round: True where a weight is dropped. It should be True where it is kept.",
        "        return mask\n    n, m",
        "        return ~mask\n    n, m",
        "            mask[row, start + order[:n]] = True\n    return mask",
        "            mask[row, start + order[:n]] = True\n    return ~mask",
    ),
    by_a_threshold=(
        "Comparing with the least score that is kept keeps too many where scores are equal: exactly `keep` weights "
        "stay, of equals the first.",
        "mask.ravel()[order[:keep]] = True",
        "mask[:] = score >= score.ravel()[order[keep - 1]] if keep else False",
    ),
    the_last_of_equals=(
        "Of equal scores the last are kept here; keep the first, row by row, by a stable sort of the scores from the "
        "largest.",
        WHOLE,
        'np.argsort(score.ravel(), kind="stable")[::-1]',
        GROUP,
        'np.argsort(score[row, start : start + m], kind="stable")[::-1]',
    ),
    so_many_dropped=(
        "`keep` is how many weights stay; here so many are dropped.",
        "order[:keep]",
        "order[: w.size - keep]",
    ),
    row_by_row=(
        "Without a pattern all weights of the matrix compete; here each row keeps the same number.",
        "mask.ravel()[order[:keep]] = True",
        "best = np.argsort(-score, axis=1)[:, : keep // len(w)]; np.put_along_axis(mask, best, True, axis=1)",
    ),
    down_the_columns=(
        "The groups run down the columns here. They run along a row: m inputs of one output.",
        BY_ROWS,
        """    for column in range(w.shape[1]):
        for start in range(0, len(w), m):
            order = np.argsort(-score[start : start + m, column], kind="stable")
            mask[start + order[:n], column] = True
""",
    ),
    every_mth=(
        "A group is m inputs side by side, and not every m-th one.",
        BY_ROWS,
        """    for row in range(len(w)):
        for start in range(-(-w.shape[1] // m)):
            order = np.argsort(-score[row, start :: -(-w.shape[1] // m)], kind="stable")
            mask[row, start + -(-w.shape[1] // m) * order[:n]] = True
""",
    ),
    across_the_rows=(
        "The groups run on from one row to the next. Each row begins with a group of its own; its last one may be "
        "shorter.",
        BY_ROWS,
        """    flat = score.ravel()
    for start in range(0, w.size, m):
        order = np.argsort(-flat[start : start + m], kind="stable")
        mask.ravel()[start + order[:n]] = True
""",
    ),
    short_group_dropped=(
        "The last group of a row, if it is shorter, keeps n of its weights too; here all of them are dropped.",
        SPAN,
        "range(0, w.shape[1] - m + 1, m)",
    ),
    m_less_n=("n:m keeps n in every m; here n are dropped.", "order[:n]", "order[: m - n]"),
)

PASTE = f"""
import torch
from torch import Tensor

def finite(**named):
    pass

{inspect.getsource(pruning.least)}

{inspect.getsource(pruning.two_four_mask)}

def prune_mask(w, size, keep, pattern):
    w = torch.as_tensor(w)
    if pattern:
        return two_four_mask(w)
    return least(w.abs().flatten(), 1 - keep / w.numel()).reshape(w.shape)
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The mask exactly; otherwise how many are kept, and the first weight that is kept or dropped against the rule."""
    given, got, want = case.given, arrays["mask"], expected["mask"]
    if np.isin(got, (0, 1)).all() and (got == want).all():
        return Verdict(1.0)
    if not np.isin(got, (0, 1)).all():
        value = short(got[~np.isin(got, (0, 1))][0])
        return Verdict(
            0.0, f"A mask is True where a weight is kept and False where not; this one holds {value}."
        )
    r, k = np.argwhere(got != want)[0]
    score = short(np.abs(given["w"][r, k]) * given["size"][k])
    rule = "kept" if want[r, k] else "dropped"
    text = f"The weight in row {r + 1}, column {k + 1}, of score {score}, should be {rule}."
    if got.sum() != want.sum():
        text += f" The mask keeps {int(got.sum())} weights of {got.size}; {int(want.sum())} should be kept."
    return Verdict(0.0, text)


def all_kept(w, size, keep, pattern):
    return np.ones(w.shape)


def none_kept(w, size, keep, pattern):
    return np.zeros(w.shape)


GRADER = Grader(
    reference=Answer(prune_mask),
    right=answers(loops, padded, in_torch),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(all_kept, none_kept),
    judge=judge,
)
