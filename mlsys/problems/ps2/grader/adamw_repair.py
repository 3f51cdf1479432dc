"""How the repaired AdamW is judged: by what it does. The messages speak of symptoms, and name no line."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim.rules import adam
from mlsys.problems.compare import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps2 import adamw_repair as public

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


class AdamW:
    def __init__(self, ws, eta, lam, beta1, beta2, delta):
        self.eta, self.lam, self.beta1, self.beta2, self.delta = eta, lam, beta1, beta2, delta
        self.state = [{"t": 0, "m": 0.0, "v": 0.0} for _ in ws]

    def step(self, ws, gs):
        new = []
        for w, g, s in zip(ws, gs, self.state, strict=True):
            s["t"] += 1
            s["m"] = self.beta1 * s["m"] + (1 - self.beta1) * g
            s["v"] = self.beta2 * s["v"] + (1 - self.beta2) * g**2
            m_hat = s["m"] / (1 - self.beta1 ** s["t"])
            v_hat = s["v"] / (1 - self.beta2 ** s["t"])
            root = np.sqrt(v_hat + self.delta**2)
            new.append((1 - self.eta * self.lam) * w - self.eta * m_hat / root)
        return new


class Loops:
    def __init__(self, ws, eta, lam, beta1, beta2, delta):
        self.hyper, self.t = (eta, lam, beta1, beta2, delta), 0
        self.m, self.v = [0 * np.ravel(w) for w in ws], [0 * np.ravel(w) for w in ws]

    def step(self, ws, gs):
        eta, lam, beta1, beta2, delta = self.hyper
        self.t += 1
        new = []
        for k in range(len(ws)):
            flat, g = list(np.ravel(ws[k])), np.ravel(gs[k])
            for j in range(len(flat)):
                self.m[k][j] += (1 - beta1) * (g[j] - self.m[k][j])
                self.v[k][j] += (1 - beta2) * (g[j] ** 2 - self.v[k][j])
                root = (self.v[k][j] / (1 - beta2**self.t) + delta**2) ** 0.5
                flat[j] -= eta * (self.m[k][j] / (1 - beta1**self.t) / root + lam * flat[j])
            new.append(np.reshape(flat, np.shape(ws[k])))
        return new


class InTorch:
    def __init__(self, ws, eta, lam, beta1, beta2, delta):
        self.eta, self.lam, self.beta1, self.beta2, self.delta, self.t = eta, lam, beta1, beta2, delta, 0
        self.m = [torch.zeros(np.shape(w), dtype=torch.float64) for w in ws]
        self.v = [torch.zeros_like(m) for m in self.m]

    def step(self, ws, gs):
        self.t += 1
        ws, gs = ([torch.as_tensor(x) for x in xs] for xs in (ws, gs))
        for m, v, g in zip(self.m, self.v, gs, strict=True):
            m.lerp_(g, 1 - self.beta1)
            v.lerp_(g.square(), 1 - self.beta2)
        c1, c2 = 1 - self.beta1**self.t, 1 - self.beta2**self.t
        roots = [(v / c2 + self.delta**2).sqrt() for v in self.v]
        moves = [self.eta * m / c1 / root for m, root in zip(self.m, roots, strict=True)]
        return tuple(w - self.eta * self.lam * w - move for w, move in zip(ws, moves, strict=True))


class InFloat32:
    def __init__(self, ws, eta, lam, beta1, beta2, delta):
        self.parts = [AdamOfOne(eta, lam, beta1, beta2, delta) for _ in ws]

    def step(self, ws, gs):
        return [
            part.step(np.float32(w), np.float32(g)) for part, w, g in zip(self.parts, ws, gs, strict=True)
        ]


class AdamOfOne:
    def __init__(self, eta, lam, beta1, beta2, delta):
        self.eta, self.keep, self.beta1, self.beta2 = eta, np.float32(1 - eta * lam), beta1, beta2
        self.floor, self.t, self.m, self.v = np.float32(delta**2), 0, np.float32(0), np.float32(0)

    def step(self, w, g):
        self.t += 1
        self.m = self.m + np.float32(1 - self.beta1) * (g - self.m)
        self.v = self.v + np.float32(1 - self.beta2) * (g * g - self.v)
        rate = np.float32(self.eta / (1 - self.beta1**self.t))
        return self.keep * w - rate * self.m / np.sqrt(
            self.v / np.float32(1 - self.beta2**self.t) + self.floor
        )


IN_FLOAT32 = (
    "\n\n".join(inspect.getsource(part) for part in (AdamOfOne, InFloat32)) + "\n\nAdamW = InFloat32\n"
)

STATE = '[{"t": 0, "m": 0.0, "v": 0.0} for _ in ws]'
COUNT, V_HAT, ROOT = (
    '            s["t"] += 1\n',
    '            v_hat = s["v"] / (1 - self.beta2 ** s["t"])\n',
    "np.sqrt(v_hat + self.delta**2)",
)
NEW = "(1 - self.eta * self.lam) * w - self.eta * m_hat / root"
SHARED = (STATE, '[{"t": 0, "m": 0.0, "v": 0.0}] * len(ws)')
COUPLED = (COUNT, "            g = g + self.lam * w\n" + COUNT, NEW, "w - self.eta * m_hat / root")
OUTSIDE = (V_HAT, "", ROOT, 'np.sqrt(s["v"] + self.delta**2) / (1 - self.beta2 ** s["t"])')

# What is left of the three faults has no hint: the symptoms are told by the cases.
WRONG = edits(
    AdamW,
    as_it_came=("", *SHARED, *COUPLED, *OUTSIDE),
    decay_mended=("", *SHARED, *OUTSIDE),
    root_mended=("", *SHARED, *COUPLED),
    state_mended=("", *COUPLED, *OUTSIDE),
    decay_left=("", *COUPLED),
    root_left=("", *OUTSIDE),
    state_left=("", *SHARED),
    decay_without_eta=(
        "The decay is not multiplied by eta: each step should multiply w by 1 - eta * lam.",
        "1 - self.eta * self.lam",
        "1 - self.lam",
    ),
    decay_of_the_moved=(
        "The decay acts on the weights after the gradient's move; it is taken from w as it was before.",
        NEW,
        "(1 - self.eta * self.lam) * (w - self.eta * m_hat / root)",
    ),
    decay_divided_by_the_root=(
        "The decay is still divided by the root of v: it only comes later. It has to act on w by itself.",
        NEW,
        "w - self.eta * (m_hat + self.lam * w) / root",
    ),
    decay_gone=("Without a decay it is Adam.", NEW, "w - self.eta * m_hat / root"),
    no_correction_of_v=(
        "The average of the squares is no longer corrected at all.",
        V_HAT,
        '            v_hat = s["v"]\n',
    ),
    delta_corrected=(
        "delta**2 is divided by 1 - beta2**t here; it is added to the corrected average.",
        V_HAT,
        '            v_hat = (s["v"] + self.delta**2) / (1 - self.beta2 ** s["t"])\n',
        ROOT,
        "np.sqrt(v_hat)",
    ),
    delta_outside=(
        "delta was under the root, squared, and is to stay there.",
        ROOT,
        "(np.sqrt(v_hat) + self.delta)",
    ),
    counts_parameters=(
        "t counts steps, but it goes up once for each parameter of a step.",
        STATE,
        STATE + "\n        self.t = 0",
        COUNT,
        '            self.t += 1\n            s["t"] = self.t\n',
    ),
)

PASTE = f"""
xp = np

{inspect.getsource(adam.body)}

class AdamW:
    def __init__(self, ws, eta, lam, beta1, beta2, eps):
        self.hyper, self.t, self.state = (eta, lam, beta1, beta2, eps), 0, [(0.0, 0.0) for _ in ws]

    def step(self, ws, gs):
        eta, lam, beta1, beta2, eps = self.hyper
        self.t += 1
        c1, root_c2 = 1 - beta1**self.t, (1 - beta2**self.t) ** 0.5
        c = eta * root_c2 / c1, beta1, 1 - beta1, beta2, 1 - beta2, eps * root_c2
        new = []
        for k, (w, g) in enumerate(zip(ws, gs, strict=True)):
            w, *self.state[k] = body((1 - eta * lam) * w, g, *self.state[k], *c)
            new.append(w)
        return new
"""

SYMPTOMS = {
    public.DECAY: "Where a gradient is 0 and always was, a step should do no more than multiply w by 1 - eta * lam.",
    public.SIZES: "A step should move each weight by eta and by eta * lam * w, whatever the size of its gradients.",
    public.FIRST: "The first step should move every weight by eta, whatever the betas are.",
    public.LATER: "There is one parameter and no decay here: is it Adam, with both averages corrected?",
    public.APART: "Is each parameter right when it is alone? If so: what does one know of the other?",
    public.SHAPES: "Is each parameter right when it is alone? If so: what does one know of the other?",
}


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The path of each parameter, to rounding; and what the case is about."""
    verdict = close(arrays, expected)
    symptom = SYMPTOMS.get(case.title)
    return verdict if verdict.score == 1 or not symptom else Verdict(0.0, f"{verdict.message} {symptom}")


class Idle:
    def __init__(self, ws, *hyper):
        pass

    def step(self, ws, gs):
        return ws


class Decays:
    def __init__(self, ws, eta, lam, *rest):
        self.keep = 1 - eta * lam

    def step(self, ws, gs):
        return [self.keep * w for w in ws]


GRADER = Grader(
    reference=Answer(AdamW),
    right={**answers(Loops, InTorch), "InFloat32": Answer(IN_FLOAT32)},
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(Idle, Decays),
    judge=judge,
)
