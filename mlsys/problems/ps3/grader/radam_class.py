"""How RAdam's class is judged."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim.rules import radam
from mlsys.optim.schedules import rectification
from mlsys.problems.coerce import short
from mlsys.problems.compare import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps3.radam_class import FIRST

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


class RAdam:
    def __init__(self, eta, beta1, beta2, delta):
        self.eta, self.beta1, self.beta2, self.delta = eta, beta1, beta2, delta
        self.t, self.m, self.v = 0, 0.0, 0.0

    def step(self, w, g):
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * g**2
        m, v = self.m / (1 - self.beta1**self.t), self.v / (1 - self.beta2**self.t)
        end = 2 / (1 - self.beta2) - 1
        rho = end - 2 * self.t * self.beta2**self.t / (1 - self.beta2**self.t)
        if rho <= 4:
            return w
        r = math.sqrt((rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho))
        return w - self.eta * r * m / np.sqrt(v + self.delta**2)


class Loops:
    def __init__(self, eta, beta1, beta2, delta):
        self.hyper, self.seen = (eta, beta1, beta2, delta), []

    def step(self, w, g):
        eta, beta1, beta2, delta = self.hyper
        self.seen.append(list(g))
        t = len(self.seen)
        ages = [beta2**k for k in range(t)]
        rho = 1 + 2 * sum(k * a for k, a in enumerate(ages)) / sum(ages)
        end = (1 + beta2) / (1 - beta2)
        r2 = (rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho) if rho > 4 else 0.0
        new = []
        for j in range(len(w)):
            m = sum(beta1**k * self.seen[-1 - k][j] for k in range(t)) / sum(beta1**k for k in range(t))
            v = sum(ages[k] * self.seen[-1 - k][j] ** 2 for k in range(t)) / sum(ages)
            new.append(w[j] - eta * math.sqrt(r2 / (v + delta * delta)) * m)
        return new


class InTorch:
    def __init__(self, eta, beta1, beta2, delta):
        self.eta, self.betas, self.delta, self.t = eta, (beta1, beta2), delta, 0

    def step(self, w, g):
        w, g = torch.as_tensor(w), torch.as_tensor(g)
        if self.t == 0:
            self.m, self.v = torch.zeros_like(g), torch.zeros_like(g)
        self.t += 1
        beta1, beta2 = self.betas
        self.m.lerp_(g, 1 - beta1)
        self.v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        c1, c2, end = 1 - beta1**self.t, 1 - beta2**self.t, 2 / (1 - beta2) - 1
        rho = end - 2 * self.t * (1 / c2 - 1)
        r = math.sqrt(max((rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho), 0)) * (rho > 4)
        return w - self.eta * r / c1 * self.m * torch.rsqrt(self.v / c2 + self.delta**2)


class InFloat32:
    def __init__(self, eta, beta1, beta2, delta):
        self.given, self.t, self.moments = (eta, beta1, beta2, delta), 0, None

    def step(self, w, g):
        eta, beta1, beta2, delta = self.given
        self.t += 1
        squares = np.stack([g, g * g]).astype(np.float32)
        if self.moments is None:
            self.moments = np.zeros_like(squares)
        keep = np.array([[beta1], [beta2]])
        self.moments = (keep * self.moments + (1 - keep) * squares).astype(np.float32)
        m, v = self.moments / (1 - keep**self.t)
        end = 2 / (1 - beta2) - 1
        rho = end - 2 * self.t * beta2**self.t / (1 - beta2**self.t)
        if rho > 4:
            r = ((rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho)) ** 0.5
            w -= eta * r * m / np.hypot(np.sqrt(v), delta)
        return w.astype(np.float32)


M, V = "self.m / (1 - self.beta1**self.t)", "self.v / (1 - self.beta2**self.t)\n"
UPDATES = (
    "        self.m = self.beta1 * self.m + (1 - self.beta1) * g\n"
    "        self.v = self.beta2 * self.v + (1 - self.beta2) * g**2\n"
)
WAIT, ROOT = "            return w\n", "np.sqrt(v + self.delta**2)"
MOVE = f"w - self.eta * r * m / {ROOT}"
MADE = "        self.t, self.m, self.v = 0, 0.0, 0.0\n"

WRONG = edits(
    RAdam,
    momentum_while_waiting=(
        "While rho <= 4 this takes steps of momentum, eta * m, as the paper and torch do: as long as the gradients are "
        "large. Here w stays until the second moment can be used.",
        WAIT,
        "            return w - self.eta * m\n",
    ),
    adam_while_waiting=(
        "While rho <= 4 this takes Adam's steps, whose variance is what RAdam avoids. Here w stays.",
        WAIT,
        f"            return w - self.eta * m / {ROOT}\n",
    ),
    averages_wait_too=(
        "The averages have to take in the gradients of the first steps too: only w waits.",
        UPDATES,
        "",
        WAIT,
        WAIT + UPDATES + f"        m, v = {M}, {V}",
    ),
    threshold_five=(
        "This waits until rho > 5, as torch does. The paper's threshold is 4.",
        "rho <= 4",
        "rho <= 5",
    ),
    not_rectified=(
        "After the waiting this takes Adam's steps: r is missing.",
        "self.eta * r * m",
        "self.eta * m",
    ),
    r_squared=("r is the root of the ratio; this moves by r squared.", "r = math.sqrt(", "r = ("),
    delta_outside=(
        "delta is squared and added to v_hat, inside the root; here it is added to the root.",
        ROOT,
        "(np.sqrt(v) + self.delta)",
    ),
    delta_not_squared=("delta is squared under the root.", "self.delta**2", "self.delta"),
    delta_before_the_correction=(
        "delta**2 is added to the corrected v_hat; here it is corrected too, by being added to v.",
        V,
        "(self.v + self.delta**2) / (1 - self.beta2**self.t)\n",
        ROOT,
        "np.sqrt(v)",
    ),
    as_in_torch=(
        "That is torch's RAdam: delta outside the root, a threshold of 5, momentum below it. Here are other "
        "conventions.",
        "rho <= 4",
        "rho <= 5",
        WAIT,
        "            return w - self.eta * m\n",
        ROOT,
        "(np.sqrt(v) + self.delta * math.sqrt(1 - self.beta2**self.t)) * 1",
    ),
    m_not_corrected=("m starts at 0: divide it by 1 - beta1**t.", M, "self.m"),
    v_not_corrected=("v starts at 0: divide it by 1 - beta2**t.", V, "self.v\n"),
    nothing_corrected=(
        "Both averages start at 0: divide m by 1 - beta1**t and v by 1 - beta2**t.",
        M,
        "self.m",
        V,
        "self.v\n",
    ),
    corrections_kept=(
        "The corrected averages have been kept in place of the averages: the correction is for this step only.",
        "        m, v = ",
        "        m, v = self.m, self.v = ",
    ),
    averages_exchanged=(
        "m averages the gradients with beta1, v their squares with beta2: here the betas are exchanged.",
        "self.beta1 * self.m + (1 - self.beta1) * g",
        "self.beta2 * self.m + (1 - self.beta2) * g",
        "self.beta2 * self.v + (1 - self.beta2) * g**2",
        "self.beta1 * self.v + (1 - self.beta1) * g**2",
    ),
    not_squared=("v averages squared gradients.", "g**2", "np.abs(g)"),
    counts_from_zero=(
        "t is 1 at the first step; here it is 0 at the first step but for the corrections, so that r comes a "
        "step late.",
        "2 * self.t * self.beta2**self.t / (1 - self.beta2**self.t)",
        "2 * (self.t - 1) * self.beta2 ** (self.t - 1) / (1 - self.beta2 ** max(self.t - 1, 1))",
    ),
    uphill=("This climbs: the move is subtracted.", "return w - ", "return w + "),
    shared=(
        "Two objects use the same averages: keep them in self, set in __init__, not in the class or in a global.",
        MADE,
        "        RAdam.t, RAdam.m, RAdam.v = 0, 0.0, 0.0\n",
        "        self.t += 1\n" + UPDATES,
        "        RAdam.t += 1\n" + UPDATES.replace("self.m ", "RAdam.m ").replace("self.v ", "RAdam.v "),
    ),
)

PASTE = f"""
import math

xp = np

{inspect.getsource(rectification)}

{inspect.getsource(radam.body)}

{inspect.getsource(radam.coefficients).replace(": RAdamHyper", "")}

class RAdam:
    def __init__(self, eta, beta1, beta2, delta):
        self.hyper, self.t, self.m, self.v = (eta, beta1, beta2, delta, 5.0), 0, 0.0, 0.0

    def step(self, w, g):
        self.t += 1
        w, self.m, self.v = body(w, g, self.m, self.v, *coefficients(self.hyper, self.t))
        return w
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The path, to rounding; the first case in words."""
    verdict = close(arrays, expected)
    if verdict.score == 1 or case.title != FIRST:
        return verdict
    (w,), got, want = case.given["starts"], arrays["w"], expected["w"]
    early = np.flatnonzero(np.abs(got[:4] - w).max(axis=1) > 1e-6)
    if early.size:
        away = short(got[early[0]] - w)
        said = f"rho is below 4 for four steps, so that w stays; after step {early[0] + 1} it has moved by {away}."
        return Verdict(0.0, said)
    r, due, made = abs(want[4] - w).max(), short(want[4] - w), short(got[4] - w)
    return Verdict(
        0.0,
        "At the fifth step rho is above 4. With a constant gradient m_hat / sqrt(v_hat) is its sign, so with eta = 1 "
        f"every weight moves by r = {r:.4g}, against the gradient: by {due}; they moved by {made}.",
    )


class Idle:
    def __init__(self, eta, beta1, beta2, delta):
        self.eta = eta

    def step(self, w, g):
        return w


class Sign:
    def __init__(self, eta, beta1, beta2, delta):
        self.eta = eta

    def step(self, w, g):
        return w - self.eta * np.sign(g)


GRADER = Grader(
    reference=Answer(RAdam),
    right=answers(Loops, InTorch, InFloat32),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(Idle, Sign),
    judge=judge,
)
