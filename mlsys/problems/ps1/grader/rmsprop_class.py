"""How RMSProp's class is judged."""

from __future__ import annotations

import inspect
import math

import numpy as np
import torch

from mlsys.optim.rules import rmsprop
from mlsys.problems.coerce import short
from mlsys.problems.judging import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers
from mlsys.problems.ps1.streams import FIRST


class Reference:
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


class FromZero:
    """The average starts at the first squared gradient, not at 0: from 0 the first step is 1/sqrt(1 - rho)
    times too long."""

    def __init__(self, eta, rho, delta):
        self.eta, self.rho, self.delta, self.r = eta, rho, delta, 0.0

    def step(self, w, g):
        self.r = self.rho * self.r + (1 - self.rho) * g**2
        return w - self.eta * g / np.maximum(np.sqrt(self.r), self.delta)


class SharesSwapped:
    """rho is the share of the old average that is kept, 1 - rho that of the new square."""

    def __init__(self, eta, rho, delta):
        self.eta, self.rho, self.delta, self.r = eta, rho, delta, None

    def step(self, w, g):
        self.r = g**2 if self.r is None else (1 - self.rho) * self.r + self.rho * g**2
        return w - self.eta * g / np.maximum(np.sqrt(self.r), self.delta)


class NoRoot:
    """Divide by the root of the average, not by the average: the move must come out in units of w."""

    def __init__(self, eta, rho, delta):
        self.eta, self.rho, self.delta, self.r = eta, rho, delta, None

    def step(self, w, g):
        self.r = g**2 if self.r is None else self.rho * self.r + (1 - self.rho) * g**2
        return w - self.eta * g / np.maximum(self.r, self.delta)


class BeforeTheAverage:
    """This step divides by the average from before this gradient went into it."""

    def __init__(self, eta, rho, delta):
        self.eta, self.rho, self.delta, self.r = eta, rho, delta, None

    def step(self, w, g):
        old = g**2 if self.r is None else self.r
        self.r = self.rho * old + (1 - self.rho) * g**2
        return w - self.eta * g / np.maximum(np.sqrt(old), self.delta)


class DeltaAdded:
    """Here delta is a floor, max(sqrt(r), delta); this is what adding it gives."""

    def __init__(self, eta, rho, delta):
        self.eta, self.rho, self.delta, self.r = eta, rho, delta, None

    def step(self, w, g):
        self.r = g**2 if self.r is None else self.rho * self.r + (1 - self.rho) * g**2
        return w - self.eta * g / (np.sqrt(self.r) + self.delta)


class NeverForgets:
    """That is AdaGrad: its sum never forgets. Here the old average is multiplied by rho, the new square by
    1 - rho."""

    def __init__(self, eta, rho, delta):
        self.eta, self.delta, self.r = eta, delta, 0.0

    def step(self, w, g):
        self.r = self.r + g**2
        return w - self.eta * g / np.maximum(np.sqrt(self.r), self.delta)


class OneAverageForAll:
    """Each coordinate has an average of its own; this one takes the mean over the coordinates."""

    def __init__(self, eta, rho, delta):
        self.eta, self.rho, self.delta, self.r = eta, rho, delta, None

    def step(self, w, g):
        new = np.mean(g**2)
        self.r = new if self.r is None else self.rho * self.r + (1 - self.rho) * new
        return w - self.eta * g / np.maximum(np.sqrt(self.r), self.delta)


class StateShared:
    """Two objects use the same average: keep it in self, set in __init__, not in the class or in a global."""

    averages: dict = {}  # noqa: RUF012

    def __init__(self, eta, rho, delta):
        self.eta, self.rho, self.delta = eta, rho, delta
        self.averages.clear()

    def step(self, w, g):
        old = self.averages.get("r", g**2)
        self.averages["r"] = self.rho * old + (1 - self.rho) * g**2
        return w - self.eta * g / np.maximum(np.sqrt(self.averages["r"]), self.delta)


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


GRADER = Grader(
    reference=Answer(Reference),
    right=answers(Loops, InTorch, InFloat32, InPlace),
    wrong=answers(
        FromZero,
        SharesSwapped,
        NoRoot,
        BeforeTheAverage,
        DeltaAdded,
        NeverForgets,
        OneAverageForAll,
        StateShared,
        paste=PASTE,
    ),
    judge=judge,
)
