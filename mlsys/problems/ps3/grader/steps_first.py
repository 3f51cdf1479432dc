"""How the sizes of the first steps are judged."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim.rules import adam, rmsprop
from mlsys.problems.coerce import short
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps3.grader.first_off import first_off
from mlsys.problems.ps3.steps_first import FIRST

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def first_steps(T, kappa, eta, rho, beta1, beta2):
    t = np.arange(1, T + 1)

    def average(beta, first):
        return 1 - beta ** (t - 1) + (1 - beta) * beta ** (t - 1) * first

    g = np.where(t == 1, kappa, 1.0)
    r = average(rho, kappa**2)
    m, v = average(beta1, kappa), average(beta2, kappa**2)
    return eta * g / np.sqrt(r), eta * (m / (1 - beta1**t)) / np.sqrt(v / (1 - beta2**t))


def loops(T, kappa, eta, rho, beta1, beta2):
    r = m = v = 0.0
    slow, fast = [], []
    for t in range(1, T + 1):
        g = kappa if t == 1 else 1.0
        r = rho * r + (1 - rho) * g * g
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        slow.append(eta * g / r**0.5)
        fast.append(eta * m / (1 - beta1**t) / (v / (1 - beta2**t)) ** 0.5)
    return slow, fast


def in_torch(T, kappa, eta, rho, beta1, beta2):
    past = torch.arange(T, dtype=torch.float64)
    g = torch.ones(T, dtype=torch.float64)
    g[0] = kappa

    def weighed(beta, x):
        kept = torch.tensor(beta, dtype=torch.float64) ** past
        return (1 - kept + (1 - beta) * kept * x) / (1 - beta * kept)

    r = weighed(rho, kappa**2) * (1 - rho * torch.tensor(rho, dtype=torch.float64) ** past)
    return torch.stack([eta * g / r.sqrt(), eta * weighed(beta1, kappa) / weighed(beta2, kappa**2).sqrt()])


def in_float32(T, kappa, eta, rho, beta1, beta2):
    t = torch.arange(1, T + 1)
    g = torch.where(t == 1, kappa, 1.0)

    def average(beta, x):
        return (1 - beta) * beta ** (t - 1) * x + 1 - beta ** (t - 1)

    adam = average(beta1, kappa) / (1 - beta1**t) / torch.sqrt(average(beta2, kappa**2) / (1 - beta2**t))
    return eta * g / torch.sqrt(average(rho, kappa**2)), eta * adam


def one_by_one(T, kappa, eta, rho, beta1, beta2):
    def corrected(beta, t, excess):
        return 1 + (1 - beta) * beta ** (t - 1) * excess / (1 - beta**t)

    more = kappa * kappa - 1
    slow = [
        eta * (kappa if t == 1 else 1) / math.sqrt((1 - rho**t) * corrected(rho, t, more))
        for t in range(1, T + 1)
    ]
    fast = [
        eta * corrected(beta1, t, kappa - 1) / math.sqrt(corrected(beta2, t, more)) for t in range(1, T + 1)
    ]
    return slow, fast


AVERAGE = "1 - beta ** (t - 1) + (1 - beta) * beta ** (t - 1) * first"
G, R, MV = (
    "np.where(t == 1, kappa, 1.0)",
    "average(rho, kappa**2)",
    "average(beta1, kappa), average(beta2, kappa**2)",
)
SLOW, FAST = "eta * g / np.sqrt(r)", "eta * (m / (1 - beta1**t)) / np.sqrt(v / (1 - beta2**t))"
COUNTED = "t = np.arange(1, T + 1)"

WRONG = edits(
    first_steps,
    starts_at_the_square=(
        "This is RMSProp whose average starts at the first squared gradient. Here it starts at 0, as usual.",
        f"r = {R}",
        "r = 1 - rho ** (t - 1) + rho ** (t - 1) * kappa**2",
    ),
    rmsprop_corrected=(
        "This corrects RMSProp's average as Adam does. RMSProp does not: that is the point.",
        f"r = {R}",
        f"r = {R} / (1 - rho**t)",
    ),
    adam_without_correction=(
        "Adam corrects both averages for having started at 0: divide m by 1 - beta1**t and v by 1 - beta2**t.",
        FAST,
        "eta * m / np.sqrt(v)",
    ),
    only_v_corrected=("m starts at 0 too: divide it by 1 - beta1**t.", "(m / (1 - beta1**t))", "m"),
    correction_without_root=(
        "v is corrected before its root is taken: sqrt(v / (1 - beta2**t)).",
        "np.sqrt(v / (1 - beta2**t))",
        "(np.sqrt(v) / (1 - beta2**t))",
    ),
    t_from_zero=(
        "The averages are a step behind: the first step comes after the first gradient has gone into them.",
        AVERAGE,
        "np.where(t == 1, (1 - beta) * first, 1 - beta ** np.maximum(t - 2, 0) + (1 - beta) * beta ** np.maximum("
        "t - 2, 0) * first)",
    ),
    kappa_everywhere=(
        "These are the sizes for a constant gradient: kappa is left out, or taken for every gradient, so that it "
        "cancels. "
        "Only the first one is kappa times the others.",
        G,
        "1.0",
        AVERAGE,
        "(1 - beta**t)",
    ),
    kappa_not_squared=(
        "The averages r and v are of squares: the first one is kappa**2.",
        f"r = {R}",
        "r = average(rho, kappa)",
        MV,
        "average(beta1, kappa), average(beta2, kappa)",
    ),
    rate_and_not_step=(
        "The first step is made with the first gradient, which is kappa: eta * kappa / sqrt(r). This is the rate "
        "alone.",
        G,
        "1.0",
    ),
    kappa_in_all_moves=(
        "Only the first step is made with the gradient kappa; the later ones are made with the gradient 1.",
        G,
        "kappa",
    ),
    no_roots=(
        "A step is divided by the root of the average of squares.",
        "np.sqrt(r)",
        "r",
        "np.sqrt(v /",
        "(v /",
    ),
    one_beta=(
        "m fades with beta1, v with beta2: here both fade with beta2.",
        "average(beta1, kappa)",
        "average(beta2, kappa)",
        "beta1**t",
        "beta2**t",
    ),
    first_weighs_all=(
        "The first gradient goes in with the weight 1 - beta, like every other, and then fades by beta a step.",
        "(1 - beta) * beta ** (t - 1) * first",
        "beta ** (t - 1) * first",
    ),
    fades_a_step_early=(
        "At step t the first gradient is t - 1 steps old: it has faded by beta ** (t - 1), and not by beta**t.",
        AVERAGE,
        "1 - beta**t + (1 - beta) * beta**t * first",
    ),
    a_step_ahead=(
        "The averages are a step ahead: the first step is made when one gradient has gone into them.",
        COUNTED,
        COUNTED + " + 1",
        "t == 1",
        "t == 2",
    ),
    kappa_not_squared_in_v=(
        "Adam's v is an average of squares: its first one is kappa**2.",
        MV,
        "average(beta1, kappa), average(beta2, kappa)",
    ),
    without_eta=(
        "eta is missing: these are the sizes divided by it.",
        SLOW,
        SLOW.removeprefix("eta * "),
        FAST,
        FAST.removeprefix("eta * "),
    ),
    exchanged=("The order is (rmsprop, adam).", f"{SLOW}, {FAST}", f"{FAST}, {SLOW}"),
    first_never_fades=(
        "The first gradient has the weight 1 - beta at first and fades by beta at each later step; here it does "
        "not fade.",
        "(1 - beta) * beta ** (t - 1) * first",
        "(1 - beta) * first",
    ),
)

PASTE = f"""
xp = np

{inspect.getsource(rmsprop.body).replace("def body", "def rmsprop_body")}

{inspect.getsource(adam.body).replace("def body", "def adam_body")}

{inspect.getsource(adam.coefficients).replace(": AdamHyper", "")}

def first_steps(T, kappa, eta, rho, beta1, beta2):
    r = m = v = 0.0
    sizes = [], []
    for t in range(1, T + 1):
        w, r = rmsprop_body(0.0, 1.0, r, eta, rho, 1 - rho, 1e-8)
        u, m, v = adam_body(0.0, 1.0, m, v, *coefficients((eta, beta1, beta2, 1e-8), t))
        sizes[0].append(-w)
        sizes[1].append(-u)
    return sizes
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """Every size, to rounding, be it in float32, which has few digits of 1 - rho."""

    def told(name: str, i: int) -> str:
        return f"{name}'s step {i + 1}, of {case.given['T']},"

    verdict = first_off(arrays, expected, told, rtol=1e-3, atol=0.0)
    if verdict.score == 1 or case.title != FIRST:
        return verdict
    eta, rho = case.given["eta"], case.given["rho"]
    want, got = (f"({short(found['rmsprop'][0])}, {short(found['adam'][0])})" for found in (expected, arrays))
    return Verdict(
        0.0,
        f"RMSProp's first average is (1 - rho) g**2, so its first step is eta / sqrt(1 - rho), and Adam's is eta, "
        f"whatever "
        f"the gradient: with eta = {eta:.4g} and rho = {rho:g} they are {want}; you have {got}.",
    )


def idle(T, kappa, eta, rho, beta1, beta2):
    return np.full((2, T), eta)


GRADER = Grader(
    reference=Answer(first_steps),
    right=answers(loops, in_torch, in_float32, one_by_one),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(idle),
    judge=judge,
)
