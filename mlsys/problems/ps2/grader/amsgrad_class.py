"""How AMSGrad's class is judged."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim.rules import amsgrad
from mlsys.problems.coerce import short
from mlsys.problems.compare import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps1.streams import FIRST
from mlsys.problems.ps2.grader.adamw_run import FROM_ZERO

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


class AMSGrad:
    def __init__(self, eta, beta1, beta2, delta):
        self.eta, self.beta1, self.beta2, self.delta = eta, beta1, beta2, delta
        self.t, self.m, self.v, self.u = 0, 0.0, 0.0, 0.0

    def step(self, w, g):
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * g**2
        self.u = np.maximum(self.u, self.v / (1 - self.beta2**self.t))
        m_hat = self.m / (1 - self.beta1**self.t)
        return w - self.eta * m_hat / np.sqrt(self.u + self.delta**2)


class Loops:
    def __init__(self, eta, beta1, beta2, delta):
        self.eta, self.b1, self.b2, self.delta, self.state = eta, beta1, beta2, delta, None

    def step(self, w, g):
        if self.state is None:
            self.t, self.state = 0, [(0.0, 0.0, 0.0)] * len(w)
        self.t, moved = self.t + 1, []
        for j, (m, v, u) in enumerate(self.state):
            m = self.b1 * m + (1 - self.b1) * g[j]
            v = self.b2 * v + (1 - self.b2) * g[j] * g[j]
            u = max(u, v / (1 - self.b2**self.t))
            self.state[j] = m, v, u
            moved.append(w[j] - self.eta * m / (1 - self.b1**self.t) / math.hypot(math.sqrt(u), self.delta))
        return moved


class InTorch:
    def __init__(self, eta, beta1, beta2, delta):
        self.eta, self.beta1, self.beta2, self.delta, self.t = eta, beta1, beta2, delta, 0

    def step(self, w, g):
        w, g = torch.as_tensor(w), torch.as_tensor(g)
        if self.t == 0:
            self.m, self.v, self.u = (torch.zeros_like(w) for _ in range(3))
        self.t += 1
        self.m.mul_(self.beta1).add_(g, alpha=1 - self.beta1)
        self.v.mul_(self.beta2).addcmul_(g, g, value=1 - self.beta2)
        torch.maximum(self.u, self.v / (1 - self.beta2**self.t), out=self.u)
        return w - self.eta / (1 - self.beta1**self.t) * self.m * torch.rsqrt(self.u + self.delta**2)


class InFloat32:
    def __init__(self, eta, beta1, beta2, delta):
        self.eta, self.beta1, self.beta2, self.delta = eta, beta1, beta2, delta
        self.m = self.v = self.u = np.float32(0)
        self.c1 = self.c2 = 1.0

    def step(self, w, g):
        w, g = w.astype(np.float32), g.astype(np.float32)
        self.c1, self.c2 = self.c1 * self.beta1, self.c2 * self.beta2
        self.m = self.m + np.float32(1 - self.beta1) * (g - self.m)
        self.v = self.v + np.float32(1 - self.beta2) * (g * g - self.v)
        self.u = np.maximum(self.u, self.v / np.float32(1 - self.c2))
        return w - np.float32(self.eta / (1 - self.c1)) * self.m / np.sqrt(self.u + np.float32(self.delta**2))


class KeepsTheRoot:
    def __init__(self, eta, beta1, beta2, delta):
        self.eta, self.beta1, self.beta2, self.delta = eta, beta1, beta2, delta
        self.past, self.largest = [], 0.0

    def step(self, w, g):
        self.past.append(np.array(g))
        t = len(self.past)
        ages = np.arange(t - 1, -1, -1)[:, None]
        m = np.sum(self.beta1**ages * self.past, axis=0) / np.sum(self.beta1**ages)
        v = np.sum(self.beta2**ages * np.square(self.past), axis=0) / np.sum(self.beta2**ages)
        self.largest = np.maximum(self.largest, np.sqrt(v + self.delta**2))
        return w - self.eta * m / self.largest


U, M_HAT = (
    "self.u = np.maximum(self.u, self.v / (1 - self.beta2**self.t))",
    "self.m / (1 - self.beta1**self.t)",
)
ROOT, MADE = "np.sqrt(self.u + self.delta**2)", "self.t, self.m, self.v, self.u = 0, 0.0, 0.0, 0.0"
RETURN, COUNT = "return w - self.eta * m_hat / np.sqrt(self.u + self.delta**2)", "self.t += 1"
STATE = "Two objects use the same memory: keep it in self, set in __init__, not in the class or in a global."

WRONG = edits(
    AMSGrad,
    plain_adam=(
        "That is Adam: u should be the largest corrected average so far, and never fall. Is it kept in self.u?",
        U,
        "self.u = self.v / (1 - self.beta2**self.t)",
    ),
    maximum_first=(
        "That is torch's order: the maximum of v, corrected afterwards. Here v is corrected first, and the maximum is "
        "taken of v / (1 - beta2**t).",
        U,
        "self.u = np.maximum(self.u, self.v)",
        ROOT,
        "np.sqrt(self.u / (1 - self.beta2**self.t) + self.delta**2)",
    ),
    as_in_the_paper=(
        "That is the paper's own form, without any correction. Here both averages are corrected.",
        U,
        "self.u = np.maximum(self.u, self.v)",
        M_HAT,
        "self.m",
    ),
    squares_uncorrected=(
        "The maximum is taken of the corrected average, v / (1 - beta2**t).",
        U,
        "self.u = np.maximum(self.u, self.v)",
    ),
    momentum_uncorrected=("m is corrected as well: m / (1 - beta1**t).", M_HAT, "self.m"),
    maximum_kept_in_v=(
        "The maximum has got into v. The average goes on from its own last value; the maximum is kept beside it.",
        U,
        "v_hat = np.maximum(self.u, self.v / (1 - self.beta2**self.t))\n        "
        "self.u, self.v = v_hat, v_hat * (1 - self.beta2**self.t)",
    ),
    corrected_v_kept=(
        "The corrected average has got into v. It is for the maximum only; the average goes on from v itself.",
        U,
        "self.v = self.v / (1 - self.beta2**self.t)\n        self.u = np.maximum(self.u, self.v)",
    ),
    largest_square=(
        "That is the largest square so far. The maximum is one of averages: of v / (1 - beta2**t).",
        U,
        "self.u = np.maximum(self.u, g**2)",
    ),
    smallest=(
        "The larger of the two is kept, not the smaller.",
        "np.maximum",
        "np.minimum",
        "0.0, 0.0, 0.0",
        "0.0, 0.0, np.inf",
    ),
    one_maximum_for_all=(
        "Each weight has a maximum of its own; this is one for all weights.",
        "np.maximum(self.u, self.v / (1 - self.beta2**self.t))",
        "max(self.u, np.max(self.v / (1 - self.beta2**self.t)))",
    ),
    delta_outside=("Here delta stands inside the root, squared.", ROOT, "(np.sqrt(self.u) + self.delta)"),
    delta_not_squared=("Under the root it is delta squared.", "self.delta**2", "self.delta"),
    delta_kept=(
        "delta**2 has got into u: it is added for this division only.",
        RETURN,
        "self.u = self.u + self.delta**2\n        return w - self.eta * m_hat / np.sqrt(self.u)",
    ),
    without_delta=("delta is left out: the root is that of u + delta**2.", " + self.delta**2", ""),
    no_root=("Divide by the root.", ROOT, "(self.u + self.delta**2)"),
    t_from_zero=(
        "",
        COUNT,
        "pass",
        RETURN,
        "w = w - self.eta * m_hat / np.sqrt(self.u + self.delta**2)\n        self.t += 1\n        return w",
    ),
    t_stays=(
        "t stays at 1, so every step is corrected as the first one: count the object's steps in self.",
        COUNT,
        "self.t = 1",
    ),
    without_momentum=("w moves along this step's gradient; it should move along the average m.", M_HAT, "g"),
    own_weights=(
        "The weights to change are those that step is given: somebody else may have changed them since the last step.",
        MADE,
        MADE + "\n        self.w = None",
        RETURN,
        "w = w if self.w is None else self.w\n        self.w = w - self.eta * m_hat / np.sqrt(self.u + self.delta**2)\n"
        "        return self.w",
    ),
    state_shared=(
        STATE,
        "class AMSGrad:",
        "class AMSGrad:\n    kept = {}\n",
        MADE,
        "self.kept.update(t=0, m=0.0, v=0.0, u=0.0)",
        COUNT,
        "self.__dict__.update(self.kept)\n        self.t += 1",
        M_HAT,
        M_HAT + "\n        self.kept.update(t=self.t, m=self.m, v=self.v, u=self.u)",
    ),
    uphill=("This climbs: m points to where f grows, so it is subtracted.", "w - self", "w + self"),
)

PASTE = f"""
xp = np

{inspect.getsource(amsgrad.corrected_body)}

class AMSGrad:
    def __init__(self, eta, beta1, beta2, delta):
        self.hyper, self.t, self.slots = (eta, beta1, beta2, delta), 0, (0.0, 0.0, 0.0)

    def step(self, w, g):
        eta, beta1, beta2, eps = self.hyper
        self.t += 1
        c = eta / (1 - beta1**self.t), beta1, 1 - beta1, beta2, 1 - beta2, eps, 1 / (1 - beta2**self.t)
        w, *self.slots = corrected_body(w, g, *self.slots, *c)
        return w
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The path of each object, to rounding."""
    verdict = close(arrays, expected)
    if all(np.isnan(points[0]).all() for points in arrays.values() if points.ndim > 1):
        return Verdict(0.0, FROM_ZERO)
    if verdict.score == 1 or case.title != FIRST:
        return verdict
    (stream,), eta = case.given["streams"], case.given["eta"]
    want, got = (short(found["w"][0] - stream.w) for found in (expected, arrays))
    return Verdict(
        0.0,
        f"The first step should move both weights by eta = {eta:g}, against the gradient, by {want}; "
        f"they moved by {got}.",
    )


class Idle:
    def __init__(self, eta, beta1, beta2, delta):
        pass

    def step(self, w, g):
        return w


class Signs:
    def __init__(self, eta, beta1, beta2, delta):
        self.eta = eta

    def step(self, w, g):
        return w - self.eta * np.sign(g)


GRADER = Grader(
    reference=Answer(AMSGrad),
    right=answers(Loops, InTorch, InFloat32, KeepsTheRoot),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(Idle, Signs),
    judge=judge,
)
