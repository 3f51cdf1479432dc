"""How the counter-example is judged."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim.rules import adam, amsgrad
from mlsys.problems.compare import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def online(start, C, period, eta, beta2, keep_max, steps):
    w, v, largest, points, regret = start, 0.0, 0.0, [], []
    suffered, total = 0.0, 0.0
    for t in range(1, steps + 1):
        g = C if (t - 1) % period == 0 else -1.0
        points.append(w)
        suffered, total = suffered + g * w, total + g
        regret.append((suffered + abs(total)) / t)
        v = beta2 * v + (1 - beta2) * g**2
        largest = max(largest, v) if keep_max else v
        w = w - eta / math.sqrt(t) * g / math.sqrt(largest)
        w = min(max(w, -1.0), 1.0)
    return points, regret


def in_arrays(start, C, period, eta, beta2, keep_max, steps):
    t = np.arange(1, steps + 1)
    g = np.where((t - 1) % period == 0, C, -1.0)
    v = np.array([np.sum((1 - beta2) * beta2 ** np.arange(k - 1, -1, -1) * g[:k] ** 2) for k in t])
    moves = eta / np.sqrt(t) * g / np.sqrt(np.maximum.accumulate(v) if keep_max else v)
    w = np.empty(steps)
    w[0] = start
    for k in range(steps - 1):
        w[k + 1] = np.clip(w[k] - moves[k], -1, 1)
    best = np.minimum(np.cumsum(g), -np.cumsum(g))
    return w, (np.cumsum(g * w) - best) / t


def in_torch(start, C, period, eta, beta2, keep_max, steps):
    w, v, top = (torch.tensor(x, dtype=torch.float64) for x in (start, 0.0, 0.0))
    points, regret = [], []
    paid, ends = torch.zeros((), dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    for t in range(1, steps + 1):
        g = torch.tensor(C if (t - 1) % period == 0 else -1.0, dtype=torch.float64)
        points.append(w)
        paid = paid + g * w
        ends = ends + g * torch.tensor([-1.0, 1.0], dtype=torch.float64)
        regret.append((paid - ends.min()) / t)
        v = torch.lerp(g.square(), v, beta2)
        top = torch.maximum(top, v)
        w = (w - eta * t**-0.5 * g / (top if keep_max else v).sqrt()).clamp(-1, 1)
    return torch.stack(points), torch.stack(regret)


def in_float32(start, C, period, eta, beta2, keep_max, steps):
    w, v, top = np.float32(start), np.float32(0), np.float32(0)
    points, regret = np.empty(steps, np.float32), np.empty(steps, np.float32)
    suffered = total = np.float32(0)
    for k in range(steps):
        g = np.float32(C) if k % period == 0 else np.float32(-1)
        points[k], suffered, total = w, suffered + g * w, total + g
        regret[k] = (suffered - min(total, -total)) / np.float32(k + 1)
        v = np.float32(beta2) * v + np.float32(1 - beta2) * g * g
        top = max(top, v)
        rate = np.float32(eta / (k + 1) ** 0.5)
        w = np.clip(w - rate * g / np.sqrt(top if keep_max else v), np.float32(-1), np.float32(1))
    return points, regret


SIGN, SEEN = "C if (t - 1) % period == 0 else -1.0", "        points.append(w)\n"
REGRET, V = "(suffered + abs(total)) / t", "v = beta2 * v + (1 - beta2) * g**2"
LARGEST, MOVE, CLIP = (
    "max(largest, v) if keep_max else v",
    "eta / math.sqrt(t) * g / math.sqrt(largest)",
    "w = min(max(w, -1.0), 1.0)",
)

PAY = "        suffered, total = suffered + g * w, total + g\n        regret.append((suffered + abs(total)) / t)\n"

WRONG = edits(
    online,
    point_after_the_step=(
        "The points are those at which the losses are suffered: points[0] is the start, and the last "
        "step's end is not among them.",
        SEEN,
        "",
        CLIP,
        CLIP + "\n        points.append(w)",
    ),
    loss_after_the_step=(
        "The loss of round t is suffered at w before the step: first pay, then learn.",
        PAY,
        "",
        CLIP,
        CLIP + "\n" + PAY.rstrip(),
    ),
    total_regret=("Return the average regret: divided by t.", REGRET, "suffered + abs(total)"),
    loss_alone=(
        "That is the average loss. The regret is the loss beyond that of the best fixed point, "
        "whose own loss is taken off.",
        REGRET,
        "suffered / t",
    ),
    best_of_each_round=(
        "The comparison is with one point, the same in all rounds, and not with the best point of each round.",
        "suffered, total = suffered + g * w, total + g",
        "suffered, total = suffered + g * w, total + abs(g)",
    ),
    best_is_minus_one=(
        "The best fixed point is not always -1: it is the end of the interval at which the sum of the "
        "losses so far is least.",
        REGRET,
        "(suffered + total) / t",
    ),
    best_at_the_end=(
        "The best fixed point is that of the rounds so far, found anew in each round, and not that of all rounds.",
        "    return points, regret",
        "    ends = np.cumsum([C if (t - 1) % period == 0 else -1.0 for t in range(1, steps + 1)])\n"
        "    paid = np.array(regret) * np.arange(1, steps + 1) - np.abs(ends)\n"
        "    return points, (paid + np.sign(ends[-1]) * ends) / np.arange(1, steps + 1)",
    ),
    not_projected=(
        "w leaves the interval: after each step it is put back to the nearer end of [-1, 1].",
        CLIP,
        "pass",
    ),
    constant_rate=("The rate falls: eta / sqrt(t).", "eta / math.sqrt(t)", "eta"),
    rate_over_t=("The rate is eta divided by the root of t, not by t.", "eta / math.sqrt(t)", "eta / t"),
    corrected=(
        "There is no bias correction in this one: v is used as it is.",
        MOVE,
        "eta / math.sqrt(t) * g / math.sqrt(largest / (1 - beta2**t))",
    ),
    corrected_first=(
        "There is no bias correction in this one: the largest is one of averages v as they are.",
        LARGEST,
        "max(largest, v / (1 - beta2**t)) if keep_max else v / (1 - beta2**t)",
    ),
    a_round_ahead=(
        "The rate of round t is eta / sqrt(t), from t = 1: this is the rate of the round after.",
        "eta / math.sqrt(t)",
        "eta / math.sqrt(t + 1)",
    ),
    always_adam=(
        "keep_max is not looked at: with it the root is that of the largest v so far.",
        LARGEST,
        "v",
    ),
    always_amsgrad=(
        "keep_max is not looked at: without it the root is that of v.",
        LARGEST,
        "max(largest, v)",
    ),
    exchanged=("keep_max is taken the wrong way round.", LARGEST, "v if keep_max else max(largest, v)"),
    largest_square=(
        "With keep_max the maximum is one of averages v, not of squares.",
        LARGEST,
        "max(largest, g**2) if keep_max else v",
    ),
    maximum_kept_in_v=(
        "The maximum has got into v. The average goes on from its own last value.",
        LARGEST,
        "max(largest, v) if keep_max else v\n        v = largest",
    ),
    no_root=("Divide by the root of v.", "math.sqrt(largest)", "largest"),
    rare_one_last=(
        "The rare gradient comes in the first round of each period: t = 1, 1 + period, …",
        SIGN,
        "C if t % period == 0 else -1.0",
    ),
    rare_one_alone=("In the other rounds the gradient is -1, not 0.", "else -1.0", "else 0.0"),
    momentum=(
        "beta1 is 0 here: w moves along this round's gradient.",
        V,
        V + "\n        mean = 0.9 * (mean if t > 1 else 0.0) + 0.1 * g",
        MOVE,
        "eta / math.sqrt(t) * mean / math.sqrt(largest)",
    ),
    uphill=("This climbs: the gradient is subtracted.", "w = w - eta", "w = w + eta"),
    regret_first=("The order is (points, regret).", "    return points, regret", "    return regret, points"),
)

PASTE = f"""
xp = np

{inspect.getsource(adam.body)}

{inspect.getsource(amsgrad.body).replace("def body", "def amsgrad_body")}

def online(start, C, period, eta, beta2, keep_max, steps, eps=1e-8):
    w, slots, points, regret, suffered, total = start, [0.0] * (3 if keep_max else 2), [], [], 0.0, 0.0
    for t in range(1, steps + 1):
        g = C if (t - 1) % period == 0 else -1.0
        points.append(w)
        suffered, total = suffered + g * w, total + g
        regret.append((suffered + abs(total)) / t)
        root_c2 = (1 - beta2**t) ** 0.5
        c = eta / t**0.5 * root_c2, 0.0, 1.0, beta2, 1 - beta2, eps * root_c2
        w, *slots = (amsgrad_body if keep_max else body)(w, g, *slots, *c)
        w = min(max(w, -1.0), 1.0)
    return points, regret
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """Points and regrets, to what float32 gives over so many steps."""
    verdict = close(arrays, expected, rtol=1e-4, atol=1e-4, row="of round")
    points, start = arrays.get("points"), case.given["start"]
    if points is not None and points.size and abs(points.flat[0] - start) > 1e-4:
        return Verdict(0.0, f"{verdict.message} Round 1 is played at start = {start:.6g}.")
    if (
        verdict.score == 1
        or "points" not in arrays
        or close({"p": arrays["points"]}, {"p": expected["points"]}).score < 1
    ):
        return verdict
    return Verdict(0.0, f"The points are right. {verdict.message}")


def idle(start, C, period, eta, beta2, keep_max, steps):
    return [start] * steps, [0.0] * steps


GRADER = Grader(
    reference=Answer(online),
    right=answers(in_arrays, in_torch, in_float32),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(idle),
    judge=judge,
)
