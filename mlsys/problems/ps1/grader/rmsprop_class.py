"""How RMSProp's class is judged."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim.rules import rmsprop
from mlsys.problems.coerce import short
from mlsys.problems.compare import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps1.streams import FIRST

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


class RMSProp:
    def __init__(self, eta, rho, delta):
        self.eta, self.rho, self.delta, self.r = eta, rho, delta, None

    def step(self, w, g):
        self.r = g**2 if self.r is None else self.rho * self.r + (1 - self.rho) * g**2
        return w - self.eta * g / np.maximum(np.sqrt(self.r), self.delta)


class Loops:
    def __init__(self, eta, rho, delta):
        self.eta, self.rho, self.delta, self.r = eta, rho, delta, []

    def step(self, w, g):
        new = []
        for j in range(len(w)):
            if len(self.r) < len(w):
                self.r.append(g[j] ** 2)
            else:
                self.r[j] = self.rho * self.r[j] + (1 - self.rho) * g[j] ** 2
            new.append(w[j] - self.eta * g[j] / max(math.sqrt(self.r[j]), self.delta))
        return new


class InTorch:
    def __init__(self, eta, rho, delta):
        self.eta, self.rho, self.delta, self.first = eta, rho, delta, True

    def step(self, w, g):
        w, g = torch.as_tensor(w), torch.as_tensor(g)
        if self.first:
            self.r, self.first = g.square(), False
        else:
            self.r = torch.lerp(g.square(), self.r, self.rho)
        return w - self.eta * g / self.r.sqrt().clamp(min=self.delta)


class InFloat32:
    def __init__(self, eta, rho, delta):
        self.eta, self.rho, self.delta, self.t = eta, rho, delta, 0

    def step(self, w, g):
        g = g.astype(np.float32)
        if self.t == 0:
            self.r = np.zeros_like(g)
        keep = self.rho if self.t > 0 else 0.0
        self.t += 1
        self.r = np.float32(keep) * self.r + np.float32(1 - keep) * g * g
        return w.astype(np.float32) - np.float32(self.eta) * g / np.sqrt(np.maximum(self.r, self.delta**2))


class InPlace:
    def __init__(self, eta, rho, delta):
        self.eta, self.rho, self.delta, self.r = eta, rho, delta, None

    def step(self, w, g):
        if self.r is None:
            self.r = g * g
        self.r *= self.rho
        self.r += (1 - self.rho) * g * g
        w -= self.eta * g / np.maximum(np.sqrt(self.r), self.delta)
        return w


MADE, FLOOR = (
    "self.eta, self.rho, self.delta, self.r = eta, rho, delta, None",
    "np.maximum(np.sqrt(self.r), self.delta)",
)
LATER, RETURN = "self.rho * self.r + (1 - self.rho) * g**2", "        return w -"
UPDATE = f"self.r = g**2 if self.r is None else {LATER}"
FIRST_STEP = (
    "It is the object's first step that counts, for all coordinates together: a gradient that is 0 at first is a first "
    "gradient too, and the average starts at 0 there."
)
STATE = "Two objects use the same average: keep it in self, set in __init__, not in the class or in a global."

WRONG = edits(
    RMSProp,
    from_zero=(
        "The average starts at the first squared gradient, not at 0: from 0 the first step is 1/sqrt(1 - rho) times "
        "too long.",
        UPDATE,
        f"self.r = {LATER}",
        "delta, None",
        "delta, 0.0",
    ),
    as_in_torch=(
        "That is torch's RMSProp, whose average starts at 0 and which adds delta. Here the average starts at the first "
        "squared gradient, and delta is a floor.",
        UPDATE,
        f"self.r = {LATER}",
        "delta, None",
        "delta, 0.0",
        FLOOR,
        "(np.sqrt(self.r) + self.delta)",
    ),
    bias_correction=(
        "That is Adam's correction of an average that starts at 0. Here it starts at the first squared gradient.",
        UPDATE,
        f"self.r, self.t = {LATER}, self.t + 1",
        "delta, None",
        "delta, 0.0\n        self.t = 0",
        FLOOR,
        "np.maximum(np.sqrt(self.r / (1 - self.rho**self.t)), self.delta)",
    ),
    first_by_coordinate=(
        FIRST_STEP,
        UPDATE,
        f"self.r = np.where(self.r == 0, g**2, {LATER})",
        "delta, None",
        "delta, 0.0",
    ),
    first_while_zero=(FIRST_STEP, "self.r is None", "not np.any(self.r)", "delta, None", "delta, 0.0"),
    shares_swapped=(
        "rho is the share of the old average that is kept, 1 - rho that of the new square.",
        LATER,
        "(1 - self.rho) * self.r + self.rho * g**2",
    ),
    no_root=(
        "Divide by the root of the average, not by the average: the move must come out in units of w.",
        "np.sqrt(self.r)",
        "self.r",
    ),
    before_the_average=(
        "This step divides by the average from before this gradient went into it.",
        UPDATE,
        f"old = g**2 if self.r is None else self.r\n        {UPDATE}",
        FLOOR,
        "np.maximum(np.sqrt(old), self.delta)",
    ),
    delta_added=(
        "Here delta is a floor, max(sqrt(r), delta); this is what adding it gives.",
        FLOOR,
        "(np.sqrt(self.r) + self.delta)",
    ),
    delta_in_the_root=(
        "Here delta is a floor, max(sqrt(r), delta); this is what adding delta**2 under the root gives.",
        FLOOR,
        "np.sqrt(self.r + self.delta**2)",
    ),
    floor_under_r=(
        "delta is the floor of sqrt(r), not of r: take the root first, then the larger of the two.",
        FLOOR,
        "np.sqrt(np.maximum(self.r, self.delta))",
    ),
    floor_kept=(
        "The floor has got into r: it is for this division only. (clamp_ changes the tensor that it is called on.)",
        RETURN,
        "        self.r = np.maximum(self.r, self.delta**2)\n        return w -",
    ),
    ceiling=(
        "delta is a floor: the larger of sqrt(r) and delta, not the smaller.",
        "np.maximum",
        "np.minimum",
    ),
    without_delta=("delta is left out: divide by the larger of sqrt(r) and delta.", FLOOR, "np.sqrt(self.r)"),
    never_forgets=(
        "That is AdaGrad: its sum never forgets. Here the old average is multiplied by rho, the new square by 1 - rho.",
        LATER,
        "self.r + g**2",
    ),
    one_average_for_all=(
        "Each coordinate has an average of its own; this one takes the mean over the coordinates.",
        UPDATE,
        "new = np.mean(g**2)\n        "
        "self.r = new if self.r is None else self.rho * self.r + (1 - self.rho) * new",
    ),
    stays_at_first=(
        "r stays at the first squared gradient: is the new average kept in self.r? (A method without _ at its end, "
        "such as addcmul, returns a new tensor.)",
        LATER,
        "self.r",
    ),
    forgets_all=(
        "Every step is taken as the first one: the average is not kept. `r = …` is gone when step ends, self.r is not.",
        UPDATE,
        "self.r = g**2",
    ),
    root_kept=(
        "The average has become its own root: sqrt_() changes the tensor that it is called on, sqrt() does not.",
        RETURN,
        "        self.r = np.sqrt(self.r)\n        return w -",
        FLOOR,
        "np.maximum(self.r, self.delta)",
    ),
    squared_in_place=(
        "The first move is made with g squared: g.square_() and g **= 2 change g itself.",
        UPDATE,
        f"first = self.r is None\n        {UPDATE}\n        g = g**2 if first else g",
    ),
    own_weights=(
        "The weights to change are those that step is given: somebody else may have changed them since the last step.",
        MADE,
        MADE + "\n        self.w = None",
        RETURN,
        "        w = self.w = (w if self.w is None else self.w) -",
        FLOOR,
        FLOOR + "\n        return w",
    ),
    state_shared=(
        STATE,
        "class RMSProp:",
        "class RMSProp:\n    r = None\n",
        MADE,
        MADE.replace("self.r", "RMSProp.r"),
        UPDATE,
        UPDATE.replace("self.r", "RMSProp.r", 1),
    ),
    uphill=("This climbs: a gradient points to where f grows, so it is subtracted.", "w - self", "w + self"),
)

PASTE = f"""
xp = np

{inspect.getsource(rmsprop.body)}

class RMSProp:
    def __init__(self, eta, rho, delta):
        self.eta, self.rho, self.delta, self.r = eta, rho, delta, 0.0

    def step(self, w, g):
        w, self.r = body(w, g, self.r, self.eta, self.rho, 1 - self.rho, self.delta)
        return w
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The path of each object, to rounding."""
    verdict = close(arrays, expected)
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
    def __init__(self, eta, rho, delta):
        pass

    def step(self, w, g):
        return w


class Signs:
    def __init__(self, eta, rho, delta):
        self.eta = eta

    def step(self, w, g):
        return w - self.eta * np.sign(g)


GRADER = Grader(
    reference=Answer(RMSProp),
    right=answers(Loops, InTorch, InFloat32, InPlace),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(Idle, Signs),
    judge=judge,
)
