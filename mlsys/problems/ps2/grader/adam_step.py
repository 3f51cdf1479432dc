"""How Adam's step is judged."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim.rules import adam
from mlsys.problems.coerce import short
from mlsys.problems.compare import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps1.streams import FIRST

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def adam_step(m, v, w, g, t, eta, beta1, beta2, delta):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    alpha = eta * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    rate = alpha / (np.sqrt(v) + delta)
    return m, v, w - rate * m, rate


def loops(m, v, w, g, t, eta, beta1, beta2, delta):
    m, v, w, rate = list(m), list(v), list(w), []
    for j in range(len(w)):
        m[j] += (1 - beta1) * (g[j] - m[j])
        v[j] += (1 - beta2) * (g[j] * g[j] - v[j])
        rate.append(eta * (1 - beta2**t) ** 0.5 / (1 - beta1**t) / (v[j] ** 0.5 + delta))
        w[j] -= rate[j] * m[j]
    return m, v, w, rate


def in_torch(m, v, w, g, t, eta, beta1, beta2, delta):
    m, v, w, g = (torch.as_tensor(a) for a in (m, v, w, g))
    m = torch.lerp(g, m, beta1)
    v = torch.lerp(g.square(), v, beta2)
    rate = eta * math.sqrt(1 - beta2**t) / (1 - beta1**t) / (v.sqrt() + delta)
    return m, v, torch.addcmul(w, rate, m, value=-1), rate


def in_float32(m, v, w, g, t, eta, beta1, beta2, delta):
    m, v, w, g = (torch.tensor(a, dtype=torch.float32) for a in (m, v, w, g))
    m.mul_(beta1).add_(g, alpha=1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    rate = eta * (1 - beta2**t) ** 0.5 / (1 - beta1**t) / (v.sqrt() + delta)
    return torch.stack([m, v, w - rate * m, rate])


def textbook(m, v, w, g, t, eta, beta1, beta2, delta):
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
    c1, c2 = 1 - beta1**t, 1 - beta2**t
    denominator = np.sqrt(v / c2) + delta / np.sqrt(c2)
    return [m, v, w - eta * (m / c1) / denominator, eta / c1 / denominator]


ALPHA = "eta * np.sqrt(1 - beta2**t) / (1 - beta1**t)"
RATE, RETURN = "alpha / (np.sqrt(v) + delta)", "return m, v, w - rate * m, rate"
FIRST_MOMENT, SECOND = "m = beta1 * m + (1 - beta1) * g\n", "v = beta2 * v + (1 - beta2) * g**2"

WRONG = edits(
    adam_step,
    uncorrected=(
        "Neither average is corrected for having started at 0: alpha is missing its two factors.",
        ALPHA,
        "eta",
    ),
    first_moment_alone=(
        "Only the average of the gradients is corrected: the root of 1 - beta2**t is missing in alpha.",
        ALPHA,
        "eta / (1 - beta1**t)",
    ),
    second_moment_alone=(
        "Only the average of the squares is corrected: alpha is also divided by 1 - beta1**t.",
        ALPHA,
        "eta * np.sqrt(1 - beta2**t)",
    ),
    delta_as_in_torch=(
        "That is Adam's other form, torch's, which adds delta to the corrected root. Here it is added to sqrt(v) "
        "itself, so early on it weighs more.",
        RATE,
        "eta / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + delta)",
    ),
    delta_in_the_root=("delta is added outside the root here.", RATE, "alpha / np.sqrt(v + delta**2)"),
    without_delta=("delta is left out.", "np.sqrt(v) + delta", "np.sqrt(v)"),
    without_the_root=(
        "The correction of v stands under the root as well: alpha has the root of 1 - beta2**t.",
        "np.sqrt(1 - beta2**t)",
        "(1 - beta2**t)",
    ),
    upside_down=(
        "alpha is upside down: the root of 1 - beta2**t multiplies, 1 - beta1**t divides.",
        ALPHA,
        "eta * (1 - beta1**t) / np.sqrt(1 - beta2**t)",
    ),
    betas_exchanged=(
        "beta1 goes with the gradients, beta2 with their squares: in alpha they are exchanged.",
        ALPHA,
        "eta * np.sqrt(1 - beta1**t) / (1 - beta2**t)",
    ),
    no_root_of_v=("Divide by the root of v, not by v.", "np.sqrt(v) + delta", "v + delta"),
    one_step_late=(
        "At the first step t is 1, so alpha is taken a step too late here: t + 1.",
        ALPHA,
        "eta * np.sqrt(1 - beta2 ** (t + 1)) / (1 - beta1 ** (t + 1))",
    ),
    corrected_averages_kept=(
        "The averages come back corrected. What goes out is what the next step averages on: m and v as they are.",
        RETURN,
        "return m / (1 - beta1**t), v / (1 - beta2**t), w - rate * m, rate",
    ),
    without_momentum=(
        "w moves along this step's gradient. That is RMSProp: Adam moves along the average m.",
        "w - rate * m",
        "w - rate * g",
    ),
    shares_swapped=(
        "beta is the share of the old average that is kept, 1 - beta that of what is new.",
        FIRST_MOMENT,
        "m = (1 - beta1) * m + beta1 * g\n",
        SECOND,
        "v = (1 - beta2) * v + beta2 * g**2",
    ),
    square_of_the_average=(
        "v averages the squares of the gradients; the square of their average is another thing.",
        "g**2",
        "m**2",
    ),
    before_the_averages=(
        "This step's gradient has to go into m and v before they are used.",
        FIRST_MOMENT,
        "old, before = m, v\n    m = beta1 * m + (1 - beta1) * g\n",
        RATE,
        "alpha / (np.sqrt(before) + delta)",
        "w - rate * m",
        "w - rate * old",
    ),
    one_rate_for_all=(
        "Each weight has a v of its own; this one takes the mean over the weights.",
        "g**2",
        "np.mean(g**2) * np.ones_like(g)",
    ),
    returns_the_move=(
        "The fourth is the rate, by which m is multiplied; this is the move itself.",
        RETURN,
        "return m, v, w - rate * m, rate * m",
    ),
    returns_alpha=(
        "The fourth is what multiplies m, a number for each weight: alpha divided by sqrt(v) + delta.",
        RETURN,
        "return m, v, w - rate * m, alpha * np.ones_like(w)",
    ),
    returns_rate_uncorrected=(
        "The moves are right, but the rate that is returned leaves the corrections out: return what "
        "m was multiplied by.",
        RETURN,
        "return m, v, w - rate * m, eta / (np.sqrt(v) + delta)",
    ),
    weights_first=("The order is (m, v, w, rate).", RETURN, "return w - rate * m, m, v, rate"),
    uphill=(
        "This climbs: m points to where f grows, so it is subtracted.",
        "w - rate * m",
        "w + rate * m",
    ),
)

PASTE = f"""
xp = np

{inspect.getsource(adam.body)}

def adam_step(m, v, w, g, t, eta, beta1, beta2, delta):
    c1, root_c2 = 1 - beta1**t, (1 - beta2**t) ** 0.5
    eta_t, eps_t = eta * root_c2 / c1, delta * root_c2
    w, m, v = body(w, g, m, v, eta_t, beta1, 1 - beta1, beta2, 1 - beta2, eps_t)
    return m, v, w, eta_t / (np.sqrt(v) + eps_t)
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The four of each step, to rounding."""
    verdict = close(arrays, expected)
    averages = all(close({n: arrays[n]}, {n: expected[n]}).score == 1 for n in ("m", "v") if n in expected)
    moved = {n: expected[n] for n in ("w",) if n in expected}
    if verdict.score == 1 or case.title != FIRST or not averages or close(arrays, moved).score == 1:
        return verdict
    (stream,), eta = case.given["streams"], case.given["eta"]
    want, got = (short(found["w"][0] - stream.w) for found in (expected, arrays))
    return Verdict(
        0.0,
        f"m and v are right. The first step should move both weights by eta = {eta:g}, against the gradient: "
        f"by {want}; they moved by {got}.",
    )


def idle(m, v, w, g, t, eta, beta1, beta2, delta):
    return m, v, w, np.zeros_like(w)


def averages_alone(m, v, w, g, t, eta, beta1, beta2, delta):
    return beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2, w, np.zeros_like(w)


GRADER = Grader(
    reference=Answer(adam_step),
    right=answers(loops, in_torch, in_float32, textbook),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(idle, averages_alone),
    judge=judge,
)
