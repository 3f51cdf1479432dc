"""How Polyak's step is judged."""

from __future__ import annotations

import inspect

import numpy as np
import torch

from mlsys.optim.polyak import PolyakEstimate
from mlsys.problems.judging import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers


def reference(w, g, value, target, cap):
    squared = g @ g
    alpha = 0.0 if squared == 0 else min(cap, max(value - target, 0.0) / squared)
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


def not_squared(w, g, value, target, cap):
    """The gap is divided by the squared norm of the gradient; this divides by the norm."""
    norm = np.linalg.norm(g)
    alpha = 0.0 if norm == 0 else min(cap, max(value - target, 0.0) / norm)
    return alpha, w - alpha * g


def no_clamp(w, g, value, target, cap):
    """Below the target the gap is negative, and a negative step climbs: take max(value - target, 0)."""
    squared = g @ g
    alpha = 0.0 if squared == 0 else min(cap, (value - target) / squared)
    return alpha, w - alpha * g


def size_of_gap(w, g, value, target, cap):
    """Below the target the step is 0, not the gap's size without its sign."""
    squared = g @ g
    alpha = 0.0 if squared == 0 else min(cap, abs(value - target) / squared)
    return alpha, w - alpha * g


def no_guard(w, g, value, target, cap):
    """Where the gradient is zero, test for it and return alpha = 0. A division by zero, or by a tiny number put in its
    place, reports nan or a step of cap where none is taken."""
    alpha = np.minimum(cap, np.maximum(value - target, 0.0) / (g @ g))
    return alpha, w - alpha * g


def no_cap(w, g, value, target, cap):
    """alpha may not exceed cap: when the target is too low, the gap stays while the gradient vanishes."""
    squared = g @ g
    alpha = 0.0 if squared == 0 else max(value - target, 0.0) / squared
    return alpha, w - alpha * g


def cap_on_move(w, g, value, target, cap):
    """cap bounds alpha itself, not the length of the move alpha * g."""
    norm = np.linalg.norm(g)
    alpha = 0.0 if norm == 0 else min(cap / norm, max(value - target, 0.0) / norm**2)
    return alpha, w - alpha * g


def no_target(w, g, value, target, cap):
    """It is the gap that counts, value - target: the same function shifted up must give the same step."""
    squared = g @ g
    alpha = 0.0 if squared == 0 else min(cap, max(value, 0.0) / squared)
    return alpha, w - alpha * g


def half(w, g, value, target, cap):
    """This step is half as long: with the exact f*, no factor 2 belongs to it."""
    squared = g @ g
    alpha = 0.0 if squared == 0 else min(cap, max(value - target, 0.0) / squared / 2)
    return alpha, w - alpha * g


def uphill(w, g, value, target, cap):
    """This climbs: a gradient points to where f grows, so it is subtracted."""
    squared = g @ g
    alpha = 0.0 if squared == 0 else min(cap, max(value - target, 0.0) / squared)
    return alpha, w + alpha * g


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


GRADER = Grader(
    reference=Answer(reference),
    right=answers(loops, in_torch, in_float32),
    wrong=answers(
        not_squared,
        no_clamp,
        size_of_gap,
        no_guard,
        no_cap,
        cap_on_move,
        no_target,
        half,
        uphill,
        paste=PASTE,
    ),
    judge=judge,
)
