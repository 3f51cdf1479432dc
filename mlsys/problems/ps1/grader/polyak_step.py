"""How Polyak's step is judged."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim.polyak import PolyakEstimate
from mlsys.problems.compare import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def polyak_step(w, g, value, target, cap):
    squared, gap = g @ g, max(value - target, 0.0)
    alpha = 0.0 if squared == 0 else min(cap, gap / squared)
    return alpha, w - alpha * g


def loops(w, g, value, target, cap):
    squared = sum(x * x for x in g)
    if squared == 0 or value <= target:
        return 0, list(w)
    alpha = (value - target) / squared
    if alpha > cap:
        alpha = cap
    return alpha, [a - alpha * b for a, b in zip(w, g, strict=True)]


def in_torch(w, g, value, target, cap):
    w, g = torch.as_tensor(w), torch.as_tensor(g)
    if not g.any():
        return torch.tensor(0.0), w
    alpha = torch.clamp((value - target) / g.dot(g), min=0, max=cap)
    return alpha, w - alpha * g


def in_float32(w, g, value, target, cap):
    w, g = w.astype(np.float32), g.astype(np.float32)
    norm = np.linalg.norm(g)
    alpha = np.clip((value - target) / norm**2, 0, cap) if norm > 0 else 0
    w -= np.float32(alpha) * g
    return np.array([alpha]), w


ZERO = (
    "Where the gradient is zero, test for it and return alpha = 0. A division by zero, or by a tiny number put in its "
    "place, reports nan or a step of cap where none is taken."
)
SMALL = "The gradient is small here and not zero, so the step is taken: test for a gradient of zero itself."
GUARD, DIVISION = "0.0 if squared == 0 else min(cap, gap / squared)", "gap / squared"

WRONG = edits(
    polyak_step,
    not_squared=(
        "The gap is divided by the squared norm of the gradient; this divides by the norm.",
        "g @ g",
        "np.linalg.norm(g)",
    ),
    last_coordinate=(
        "The squared norm is a sum over all coordinates, and this is the last one's square alone: `n = x**2` in a loop "
        "forgets those before.",
        "g @ g",
        "g[-1] ** 2",
    ),
    no_clamp=(
        "Below the target the gap is negative, and a negative step climbs: take max(value - target, 0).",
        "max(value - target, 0.0)",
        "value - target",
    ),
    size_of_gap=(
        "Below the target the step is 0, not the gap's size without its sign.",
        "max(value - target, 0.0)",
        "abs(value - target)",
    ),
    no_guard=(ZERO, GUARD, "np.minimum(cap, gap / squared)"),
    no_guard_min=(ZERO, GUARD, "min(cap, gap / squared)"),
    cap_at_zero=(ZERO, "0.0 if", "cap if"),
    tiny_number_added=(ZERO, GUARD, "min(cap, gap / (squared + 1e-12))"),
    nearly_zero=(SMALL, "squared == 0", "np.allclose(g, 0)"),
    below_a_threshold=(SMALL, "squared == 0", "squared < 1e-8"),
    no_cap=(
        "alpha may not exceed cap: when the target is too low, the gap stays while the gradient vanishes.",
        GUARD,
        "0.0 if squared == 0 else gap / squared",
    ),
    cap_on_move=(
        "cap bounds alpha itself, not the length of the move alpha * g.",
        "min(cap,",
        "min(cap / squared**0.5,",
    ),
    no_target=(
        "It is the gap that counts, value - target: the same function shifted up must give the same step.",
        "value - target",
        "value",
    ),
    half=(
        "This step is half as long: with the exact f*, no factor 2 belongs to it.",
        DIVISION,
        "gap / squared / 2",
    ),
    uphill=(
        "This climbs: a gradient points to where f grows, so it is subtracted.",
        "w - alpha",
        "w + alpha",
    ),
)

PASTE = f"""
def real(estimate):
    return float(estimate)

class Ray:
    def __init__(self, f, g):
        self.f, self.square, self.t = f, float(g @ g), 1

{inspect.getsource(PolyakEstimate)}

def polyak_step(w, g, value, target, cap):
    alpha, _ = PolyakEstimate(target).length(Ray(value, g), None)
    return alpha, w - alpha * g
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """Step lengths and path, to rounding."""
    return close(arrays, expected, row="at point")


def idle(w, g, value, target, cap):
    return 0.0, w


GRADER = Grader(
    reference=Answer(polyak_step),
    right=answers(loops, in_torch, in_float32),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(idle),
    judge=judge,
)
