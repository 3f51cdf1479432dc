"""How the run of AdamW is judged."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import numpy as np

from mlsys.core import decay
from mlsys.optim.rules import adam
from mlsys.problems.coerce import short
from mlsys.problems.compare import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps2.adamw_run import ALONE, FIRST

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def adamw_run(gradient, w, multipliers, eta, lam, beta1, beta2, delta):
    m, v, points = np.zeros_like(w), np.zeros_like(w), []
    for t, s in enumerate(multipliers, 1):
        g = gradient(w)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        move = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + delta)
        w = w - s * (eta * move + lam * w)
        points.append(w)
    return points


def loops(gradient, w, multipliers, eta, lam, beta1, beta2, delta):
    w = list(w)
    d = len(w)
    m, v, points = [0.0] * d, [0.0] * d, []
    for t in range(1, len(multipliers) + 1):
        g, s = gradient(w), multipliers[t - 1]
        for j in range(d):
            m[j] = beta1 * m[j] + (1 - beta1) * g[j]
            v[j] = beta2 * v[j] + (1 - beta2) * g[j] ** 2
            root = (v[j] / (1 - beta2**t)) ** 0.5
            w[j] = (1 - s * lam) * w[j] - s * eta * m[j] / (1 - beta1**t) / (root + delta)
        points.append(list(w))
    return points


def in_torch(gradient, w, multipliers, eta, lam, beta1, beta2, delta):
    w = torch.as_tensor(w)
    m, v = torch.zeros_like(w), torch.zeros_like(w)
    points = torch.empty(len(multipliers), len(w), dtype=w.dtype)
    for t, s in enumerate(multipliers):
        g = torch.as_tensor(gradient(w))
        m.lerp_(g, 1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        m_hat, v_hat = m / (1 - beta1 ** (t + 1)), v / (1 - beta2 ** (t + 1))
        w = w * (1 - s * lam) - s * eta * m_hat / (v_hat.sqrt() + delta)
        points[t] = w
    return points


def by_torchs_own(gradient, w, multipliers, eta, lam, beta1, beta2, delta):
    w = torch.tensor(w, requires_grad=True)
    optimizer = torch.optim.AdamW([w], lr=eta, betas=(beta1, beta2), eps=delta, weight_decay=lam / eta)
    points = []
    for s in multipliers:
        optimizer.param_groups[0]["lr"] = s * eta  # torch's decay is the rate times weight_decay: s * lam
        w.grad = torch.as_tensor(gradient(w))
        optimizer.step()
        points.append(w.detach().clone())
    return torch.stack(points)


def in_float32(gradient, w, multipliers, eta, lam, beta1, beta2, delta):
    w = w.astype(np.float32)
    points, m, v = np.zeros((len(multipliers), len(w)), np.float32), np.zeros_like(w), np.zeros_like(w)
    for t, s in enumerate(multipliers, 1):
        g = gradient(w).astype(np.float32)
        m += np.float32(1 - beta1) * (g - m)
        v += np.float32(1 - beta2) * (g * g - v)
        shrunk = np.float32(1 - s * lam) * w
        w = shrunk - np.float32(s * eta / (1 - beta1**t)) * m / (
            np.sqrt(v / np.float32(1 - beta2**t)) + np.float32(delta)
        )
        points[t - 1] = w
    return points


UPDATE, KEPT = "w = w - s * (eta * move + lam * w)", "points.append(w)"
GRADIENT, MOVE = "g = gradient(w)\n", "move = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + delta)"

WRONG = edits(
    adamw_run,
    decay_times_eta=(
        "That is torch's AdamW, whose decay is also multiplied by eta. The paper's is s * lam * w: a change of eta "
        "leaves it alone.",
        UPDATE,
        "w = w - s * eta * (move + lam * w)",
    ),
    through_the_gradient=(
        "The decay goes through the gradient here: that is L2, which Adam divides by the root of v like everything "
        "else. Take it from w directly.",
        GRADIENT,
        "g = gradient(w) + lam * w\n",
        UPDATE,
        "w = w - s * eta * move",
    ),
    divided_by_the_root=(
        "The decay is divided by the root of v here. It is taken from w as it is.",
        MOVE,
        "move = (m / (1 - beta1**t) + lam * w) / (np.sqrt(v / (1 - beta2**t)) + delta)",
        UPDATE,
        "w = w - s * eta * move",
    ),
    decay_without_the_schedule=(
        "The schedule's multiplier stands before both terms: here the decay goes on at full strength.",
        UPDATE,
        "w = w - s * eta * move - lam * w",
    ),
    schedule_on_the_decay_alone=(
        "The schedule's multiplier stands before both terms: here the gradient's move does not follow it.",
        UPDATE,
        "w = w - eta * move - s * lam * w",
    ),
    multiplier_twice=(
        "The decay is multiplied by the schedule's multiplier once, not twice.",
        UPDATE,
        "w = w - s * (eta * move + s * lam * w)",
    ),
    decay_of_the_moved=(
        "The decay is taken from w as it was before the move, both terms at once; this takes it from the moved w.",
        UPDATE,
        "w = (1 - s * lam) * (w - s * eta * move)",
    ),
    gradient_of_the_decayed=(
        "The gradient is that of w before the decay; this asks for it after.",
        GRADIENT,
        "w = w - s * lam * w\n        g = gradient(w)\n",
        UPDATE,
        "w = w - s * eta * move",
    ),
    no_decay=("The decay is missing: s * lam * w is taken from w too.", " + lam * w)", ")"),
    growth=("The decay is subtracted, so that weights shrink.", "+ lam * w", "- lam * w"),
    uncorrected=(
        "The averages start at 0 and are corrected for it: m / (1 - beta1**t) and v / (1 - beta2**t).",
        MOVE,
        "move = m / (np.sqrt(v) + delta)",
    ),
    t_from_zero=(
        "",
        "enumerate(multipliers, 1)",
        "enumerate(multipliers)",
    ),
    correction_outside_the_root=(
        "v is corrected under the root: sqrt(v / (1 - beta2**t)).",
        "np.sqrt(v / (1 - beta2**t))",
        "np.sqrt(v) / (1 - beta2**t)",
    ),
    delta_inside_the_root=(
        "delta is added to the root of the corrected v, not to v, and not squared.",
        "(np.sqrt(v / (1 - beta2**t)) + delta)",
        "np.sqrt(v / (1 - beta2**t) + delta**2)",
    ),
    skips_steps_at_zero=(
        "A step whose multiplier is 0 leaves w alone, but m, v and t go on.",
        GRADIENT,
        "points.append(w)\n        if s == 0:\n            continue\n        points.pop()\n        g = gradient(w)\n",
    ),
    time_stands_still_at_zero=(
        "A step whose multiplier is 0 leaves w alone, but it is a step: t counts it, and m and v take its gradient in.",
        GRADIENT,
        "points.append(w)\n        if s == 0:\n            continue\n        points.pop()\n        g = gradient(w)\n"
        "        t = sum(map(bool, multipliers[:t]))\n",
    ),
    start_first=(
        "The first point is the one after the first step, not the start.",
        KEPT,
        "points.append(w)\n    points = [W, *points[:-1]]",
        "m, v, points =",
        "W = w\n    m, v, points =",
    ),
    in_place=(
        "All points are one and the same array, which every step changes: append a copy, or make a new w at each step.",
        UPDATE,
        "w -= s * (eta * move + lam * w)",
    ),
    uphill=(
        "This climbs: m points to where f grows, so the move is subtracted.",
        UPDATE,
        "w = w + s * eta * move - s * lam * w",
    ),
)


def gradient_by_coordinate(gradient, w, multipliers, eta, lam, beta1, beta2, delta):
    """One gradient a step, at the old w: here it is taken again inside the loop over weights, after earlier ones have
    moved."""
    m, v, points = np.zeros_like(w), np.zeros_like(w), []
    for t, s in enumerate(multipliers, 1):
        for j in range(len(w)):
            g = gradient(w)[j]
            m[j] = beta1 * m[j] + (1 - beta1) * g
            v[j] = beta2 * v[j] + (1 - beta2) * g**2
            move = m[j] / (1 - beta1**t) / (np.sqrt(v[j] / (1 - beta2**t)) + delta)
            w[j] -= s * (eta * move + lam * w[j])
        points.append(w.copy())
    return points


PASTE = f"""
xp = np

{inspect.getsource(adam.body)}

{inspect.getsource(decay.body).replace("def body", "def before")}

def adamw_run(gradient, w, multipliers, eta, lam, beta1, beta2, delta):
    m, v, points = np.zeros_like(w), np.zeros_like(w), []
    for t, s in enumerate(multipliers, 1):
        g, c1, root_c2 = gradient(w), 1 - beta1**t, (1 - beta2**t) ** 0.5
        w, g = before(w, g, 1.0, 0.0, 1 - lam * s * eta)
        w, m, v = body(w, g, m, v, s * eta * root_c2 / c1, beta1, 1 - beta1, beta2, 1 - beta2, delta * root_c2)
        points.append(w)
    return points
"""


FROM_ZERO = (
    "Every weight is nan after the first step. At t = 0 the corrections are 0/0: is the first step t = 1, and counted "
    "before they are made?"
)


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The whole path, to rounding."""
    verdict = close(arrays, expected)
    if verdict.score == 1 or "w" not in arrays or arrays["w"].shape != expected["w"].shape:
        return verdict
    start = case.given["w"]
    if np.isnan(arrays["w"][0]).all() and case.given["A"].any():
        return Verdict(0.0, FROM_ZERO)
    want, got = (short(found["w"][0] - start) for found in (expected, arrays))
    if case.title == FIRST:
        eta = case.given["eta"]
        text = f"The first step should move both weights by eta = {eta:g}, against the gradient: by {want}; "
        return Verdict(0.0, f"{text}they moved by {got}.")
    if case.title == ALONE:
        lam = case.given["lam"]
        return Verdict(
            0.0, f"{verdict.message} Where the gradient is 0, a step multiplies w by 1 - s * {lam:g}."
        )
    return verdict


def idle(gradient, w, multipliers, *settings):
    return [w] * len(multipliers)


def decays_alone(gradient, w, multipliers, eta, lam, beta1, beta2, delta):
    return np.cumprod([1 - s * lam for s in multipliers])[:, None] * w


GRADER = Grader(
    reference=Answer(adamw_run),
    right=answers(loops, in_torch, by_torchs_own, in_float32),
    wrong={**WRONG, **answers(gradient_by_coordinate), "paste": Answer(PASTE)},
    idle=answers(idle, decays_alone),
    judge=judge,
)
