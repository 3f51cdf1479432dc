"""How AdaGrad's running form is judged."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim.rules import adagrad
from mlsys.problems.coerce import short
from mlsys.problems.compare import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps1.streams import FIRST

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def adagrad_step(r, w, g, eta, delta):
    r = r + g**2
    return r, w - eta / np.sqrt(r + delta**2) * g


def loops(r, w, g, eta, delta):
    r, w = list(r), list(w)
    for j in range(len(w)):
        r[j] += g[j] ** 2
        w[j] -= eta * g[j] / (r[j] + delta**2) ** 0.5
    return r, w


def in_torch(r, w, g, eta, delta):
    r, w, g = (torch.as_tensor(a) for a in (r, w, g))
    r = r + g.square()
    return r, w - eta * g * torch.rsqrt(r + delta**2)


def in_float32(r, w, g, eta, delta):
    r, w, g = (torch.tensor(a, dtype=torch.float32) for a in (r, w, g))
    r += g * g
    return torch.stack([r, w - eta * g / torch.sqrt(r + delta**2)])


def in_place(r, w, g, eta, delta):
    r += g * g
    w -= eta * g / np.hypot(np.sqrt(r), delta)
    return [r, w]


SUM, ROOT, RETURN = "r = r + g**2", "np.sqrt(r + delta**2)", "return r, w - eta / np.sqrt(r + delta**2) * g"

WRONG = edits(
    adagrad_step,
    outside_the_root=(
        "That is what delta added outside the root gives: here it goes inside, as sqrt(r + delta**2).",
        ROOT,
        "(np.sqrt(r) + delta)",
    ),
    delta_not_squared=(
        "Under the root it is delta squared: delta has the unit of g, and r that of g squared.",
        "delta**2",
        "delta",
    ),
    without_delta=("delta is left out: the root is that of r + delta**2.", " + delta**2", ""),
    delta_kept=(
        "delta**2 has got into r: it is added under the root, for this step only. (r.add_ changes r itself.)",
        SUM,
        "r = r + g**2 + delta**2",
        ROOT,
        "np.sqrt(r)",
    ),
    delta_kept_twice=(
        "delta**2 has got into r: it is added under the root, for this step only. (r.add_ changes r itself.)",
        RETURN,
        "return r + delta**2, w - eta / np.sqrt(r + delta**2) * g",
    ),
    before_the_sum=(
        "This step uses r from before this gradient was added.",
        SUM,
        "old, r = r, r + g**2",
        ROOT,
        "np.sqrt(old + delta**2)",
    ),
    sum_not_kept=(
        "r comes back as it went in: is the sum kept? (A method without _ at its end, such as r.addcmul, returns a new "
        "tensor and leaves r alone.)",
        SUM,
        "r = r",
    ),
    no_root=("The rate is divided by the root of the sum, not by the sum.", ROOT, "(r + delta**2)"),
    root_kept=(
        "r comes back as a root. What goes out is the sum of squares: r.sqrt_() changes r itself, r.sqrt() does not.",
        RETURN,
        "return np.sqrt(r), w - eta / np.sqrt(r + delta**2) * g",
    ),
    root_with_delta_kept=(
        "r comes back as a root. What goes out is the sum of squares: r.sqrt_() changes r itself, r.sqrt() does not.",
        RETURN,
        "return np.sqrt(r + delta**2), w - eta / np.sqrt(r + delta**2) * g",
    ),
    squared_in_place=(
        "The move is made with g squared: g.square_() and g **= 2 change g itself.",
        "* g\n",
        "* g**2\n",
    ),
    one_sum_for_all=("Each coordinate has a sum of its own.", "g**2", "g @ g"),
    forgets=(
        "AdaGrad's sum forgets nothing; a moving average is RMSProp.",
        SUM,
        "r = 0.9 * r + 0.1 * g**2",
    ),
    uphill=(
        "This climbs: a gradient points to where f grows, so it is subtracted.",
        "w - eta",
        "w + eta",
    ),
    returns_the_move=("Return the new weights, not the move: w minus it.", "w - eta", "-eta"),
    swapped=(
        "The order is (r, w): first the sum, then the weights.",
        RETURN,
        "return w - eta / np.sqrt(r + delta**2) * g, r",
    ),
)

PASTE = f"""
xp = np

{inspect.getsource(adagrad.body)}

def adagrad_step(r, w, g, eta, delta):
    w, r = body(w, g, r, eta, delta)
    return r, w
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """Both traces, to rounding."""
    verdict = close(arrays, expected)
    sums_agree = close({"r": arrays["r"]}, {"r": expected["r"]}).score == 1 if "r" in expected else True
    if verdict.score == 1 or case.title != FIRST or not sums_agree:
        return verdict
    (stream,), eta = case.given["streams"], case.given["eta"]
    want, got = (short(found["w"][0] - stream.w) for found in (expected, arrays))
    return Verdict(
        0.0,
        f"After the first step both weights should have moved by eta = {eta:g}, against the gradient: "
        f"by {want}; they moved by {got}.",
    )


def idle(r, w, g, eta, delta):
    return r, w


def sum_alone(r, w, g, eta, delta):
    return r + g**2, w


GRADER = Grader(
    reference=Answer(adagrad_step),
    right=answers(loops, in_torch, in_float32, in_place),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(idle, sum_alone),
    judge=judge,
)
