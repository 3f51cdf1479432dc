"""How AdaDelta's generator is judged."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim.rules import adadelta as rule
from mlsys.problems.coerce import short
from mlsys.problems.compare import close
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps1.adadelta_generator import EXTRA
from mlsys.problems.ps1.streams import FIRST

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def adadelta(gradient, w, rho, a, b):
    r, s = np.zeros_like(w), np.zeros_like(w)
    while True:
        g = gradient(w)
        r = rho * r + (1 - rho) * g**2
        move = np.sqrt(s + a**2) / np.sqrt(r + b**2) * g
        s = rho * s + (1 - rho) * move**2
        w = w - move
        yield w


def loops(gradient, w, rho, a, b):
    d = len(w)
    w, r, s = list(w), [0] * d, [0] * d
    while True:
        g = gradient(w)
        for j in range(d):
            r[j] = rho * r[j] + (1 - rho) * g[j] ** 2
            move = ((s[j] + a * a) / (r[j] + b * b)) ** 0.5 * g[j]
            s[j] = rho * s[j] + (1 - rho) * move**2
            w[j] -= move
        yield list(w)


def in_torch(gradient, w, rho, a, b):
    w = torch.as_tensor(w)
    r, s = torch.zeros_like(w), torch.zeros_like(w)
    while True:
        g = torch.as_tensor(gradient(w))
        r.mul_(rho).addcmul_(g, g, value=1 - rho)
        move = (s + a**2).sqrt() * (r + b**2).rsqrt() * g
        s.mul_(rho).addcmul_(move, move, value=1 - rho)
        w = w - move
        yield w


def in_float32(gradient, w, rho, a, b):
    w = w.astype(np.float32)
    state = np.zeros((2, len(w)), dtype=np.float32)
    while True:
        g = gradient(w).astype(np.float32)
        state[0] += np.float32(1 - rho) * (g * g - state[0])
        move = g * np.sqrt((state[1] + np.float32(a * a)) / (state[0] + np.float32(b * b)))
        state[1] += np.float32(1 - rho) * (move * move - state[1])
        w -= move
        yield w.copy()


GRADIENT, AVERAGE = "        g = gradient(w)\n", "        r = rho * r + (1 - rho) * g**2\n"
UPPER, LOWER, SMALLER = (
    "np.sqrt(s + a**2)",
    "np.sqrt(r + b**2)",
    "        s = rho * s + (1 - rho) * move**2\n",
)
MOVED, LAST = "        w = w - move\n        yield w\n", "        w = w - move\n"
UNDER = "Under the roots stand a**2 and b**2: a has the unit of w, b that of g."
TWO = "Two small numbers are given: a, squared, goes into the upper root and b, squared, into the lower one."

WRONG = edits(
    adadelta,
    start_first=(
        "The first point to yield is the one after the first step, not the start.",
        MOVED,
        LAST,
        GRADIENT,
        f"        yield w\n{GRADIENT}",
    ),
    in_place=(
        "The points that were yielded before change with every step, as all of them are one array: make a new one with "
        "w = w - v, or yield a copy.",
        LAST,
        "        w -= move\n",
    ),
    gradient_twice=("", AVERAGE, AVERAGE.replace("g**2", "gradient(w) ** 2")),
    ten_points=("", "while True", "for _ in range(10)"),
    thousand_points=("", "while True", "for _ in range(1000)"),
    gradient_once=(
        "The gradient is that of the start at every step: call gradient(w) anew in the loop.",
        GRADIENT,
        "",
        "    while",
        "    g = gradient(w)\n    while",
    ),
    gradient_by_coordinate=(
        "gradient is called at points where some weights have moved and others not: call it once a step, before the "
        "loop over coordinates.",
        GRADIENT,
        "        for j in range(len(w)):\n            g = gradient(w)[j]\n",
        AVERAGE,
        "            r[j] = rho * r[j] + (1 - rho) * g**2\n",
        "        move = np.sqrt(s + a**2) / np.sqrt(r + b**2) * g\n",
        "            move = ((s[j] + a**2) / (r[j] + b**2)) ** 0.5 * g\n",
        SMALLER,
        "            s[j] = rho * s[j] + (1 - rho) * move**2\n",
        MOVED,
        "            w[j] -= move\n        yield w.copy()\n",
    ),
    average_of_gradients=("s averages the squares of the moves, not of the gradients.", "move**2", "g**2 "),
    no_roots=(
        "The ratio is one of root mean squares: without the roots its unit is wrong.",
        UPPER,
        "(s + a**2)",
        LOWER,
        "(r + b**2)",
    ),
    not_squared=(UNDER, "a**2", "a", "b**2", "b"),
    outside_the_roots=(
        "a and b go inside the roots, squared: this adds them to the roots.",
        UPPER,
        "(np.sqrt(s) + a)",
        LOWER,
        "(np.sqrt(r) + b)",
    ),
    yields_by_coordinate=(
        "A point is yielded once a step, when all coordinates have moved: the yield stands after their loop.",
        MOVED,
        "        w = w.copy()\n        for j in range(len(w)):\n            w[j] -= move[j]\n"
        "            yield w.copy()\n",
    ),
    a_twice=(TWO, "b**2", "a**2"),
    b_twice=(TWO, "a**2", "b**2"),
    exchanged=(
        "a goes with the moves, in the upper root; b with the gradients, in the lower one.",
        UPPER,
        "np.sqrt(s + B)",
        LOWER,
        "np.sqrt(r + a**2)",
        "B)",
        "b**2)",
    ),
    a_kept=(
        "a**2 has got into s: it is added under the root, for this step only. (s.add_ changes s itself.)",
        UPPER,
        "np.sqrt(s := s + a**2)",
    ),
    root_kept=(
        "r has become its own root: sqrt_() and add_() change the tensor that they are called on.",
        LOWER,
        "(r := np.sqrt(r + b**2))",
    ),
    without_the_gradient=(
        "The ratio of the roots is the rate: it still has to be multiplied by g.",
        " * g\n",
        "\n",
    ),
    sums=(
        "Both are moving averages: the new square comes in with the weight 1 - rho.",
        "(1 - rho) * g**2",
        "g**2",
        "(1 - rho) * move**2",
        "move**2",
    ),
    never_updates_s=(
        "s must take in each move after it is made; this one stays at 0, so the steps never grow.",
        SMALLER,
        "",
    ),
    one_array=(
        "r and s are one and the same array here: `s = r` makes no copy. Make two.",
        "r, s = np.zeros_like(w), np.zeros_like(w)",
        "s = np.zeros_like(w)",
        "r = rho * r",
        "r = rho * s",
        UPPER,
        "np.sqrt(r + a**2)",
        "s = rho * s",
        "s = rho * r",
    ),
    move_in_s_first=(
        "The move is made from s as it was before this step; s takes the move in afterwards.",
        SMALLER,
        SMALLER + "        move = np.sqrt(s + a**2) / np.sqrt(r + b**2) * g\n",
    ),
    before_the_average=(
        "r takes in this gradient before it is used, s takes in this move after: here r is used too early.",
        AVERAGE,
        "",
        SMALLER,
        AVERAGE + SMALLER,
    ),
    gradient_squared_in_place=(
        "The move is made with g squared: g.square_() and g **= 2 change g itself.",
        " * g\n",
        " * g**2\n",
    ),
    move_squared_in_place=(
        "w is changed by the square of the move: v.square_() and v **= 2 change v itself.",
        LAST,
        "        w = w - move**2\n",
    ),
    uphill=(
        "This climbs: a gradient points to where f grows, so the move is subtracted.",
        "w - move",
        "w + move",
    ),
)

PASTE = f"""
xp = np

{inspect.getsource(rule.body)}

def adadelta(gradient, w, rho, a, b):
    r = s = np.zeros_like(w)
    while True:
        w, r, s = body(w, gradient(w), r, s, 1.0, rho, 1 - rho, a**2)
        yield w
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The prefix of each path, to rounding; and in one case, whether more gradients were asked for than steps made."""
    path = {name: want for name, want in expected.items() if name != EXTRA}
    verdict = close(arrays, path)
    if verdict.score == 1 and (extra := int(arrays.get(EXTRA, 0))):
        steps = case.given["steps"]
        return Verdict(
            0.0,
            f"The points are right, but gradient was called {extra + steps + 1} times for {steps} of them: "
            "call it once a step and keep what it returns.",
        )
    if verdict.score == 1 or case.title != FIRST:
        return verdict
    (bowl,), a, rho = case.given["bowls"], case.given["a"], case.given["rho"]
    want, got = (short(found["w"][0] - bowl["w"]) for found in (expected, arrays))
    return Verdict(
        0.0,
        f"When b is this small, the first step should move every weight by a / sqrt(1 - rho) = "
        f"{a / np.sqrt(1 - rho):g}, against the gradient, by {want}; they moved by {got}.",
    )


def idle(gradient, w, rho, a, b):
    while True:
        yield w


def constant(gradient, w, rho, a, b):
    while True:
        w = w - a / (1 - rho) ** 0.5 * np.sign(gradient(w))
        yield w


GRADER = Grader(
    reference=Answer(adadelta),
    right=answers(loops, in_torch, in_float32),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(idle, constant),
    judge=judge,
)
