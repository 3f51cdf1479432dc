"""How RAdam's rectification is judged."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim.schedules import rectification
from mlsys.problems.compare import differs
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps3.grader.first_off import first_off

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def rectify(t, beta2):
    end = 2 / (1 - beta2) - 1
    with np.errstate(over="ignore"):
        rho = 1 / np.tanh(-np.log(beta2) / 2) - 2 * t / np.expm1(-t * np.log(beta2))
    ratio = (rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho)
    return rho, np.sqrt(np.where(rho > 4, ratio, 0))


def mean_age(t, beta2):
    def one(t):
        ages = np.arange(min(int(t), math.ceil(-50 / math.log(beta2))))
        weights = beta2**ages
        return 1 + 2 * (ages @ weights) / weights.sum()

    rho = np.vectorize(one, otypes=[float])(t)
    end = (1 + beta2) / (1 - beta2)
    r2 = (rho - 4) / (end - 4) * (rho - 2) / (end - 2) * end / rho
    return rho, np.sqrt(r2, out=np.zeros_like(rho), where=rho > 4)


def in_decimals(t, beta2):
    from decimal import Decimal, localcontext

    def one(t):
        with localcontext() as context:
            context.prec = 60
            beta = Decimal(beta2)
            end = 2 / (1 - beta) - 1
            rho = end - 2 * t * beta**t / (1 - beta**t)
            if rho <= 4:
                return float(rho), 0.0
            return float(rho), float(((rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho)).sqrt())

    pairs = np.array([one(int(x)) for x in np.ravel(t)])
    return pairs[:, 0].reshape(np.shape(t)), pairs[:, 1].reshape(np.shape(t))


def in_torch(t, beta2):
    t = torch.as_tensor(t, dtype=torch.float64)
    x = -torch.log(torch.tensor(beta2, dtype=torch.float64))
    end = 2 / (1 - beta2) - 1
    rho = 2 / -torch.expm1(-x) - 1 - 2 * t * torch.exp(-t * x) / -torch.expm1(-t * x)
    ratio = (rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho)
    return rho, torch.where(rho > 4, ratio, 0.0).sqrt()


END, RATIO = "2 / (1 - beta2) - 1", "(rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho)"
RHO = "1 / np.tanh(-np.log(beta2) / 2) - 2 * t / np.expm1(-t * np.log(beta2))"
LEFT, OLDER = "1 / np.tanh(-np.log(beta2) / 2)", "np.expm1(-t * np.log(beta2))"
GIVEN = "np.sqrt(np.where(rho > 4, ratio, 0))"

WRONG = edits(
    rectify,
    as_printed=(
        "The formula is right, but with a long memory it subtracts two huge numbers that are nearly equal, and 1 "
        "- beta2**t has few digits left. Write it with expm1, or sum the ages: the text has a hint on the digits.",
        RHO,
        "end - 2 * t * beta2**t / (1 - beta2**t)",
    ),
    threshold_five=(
        "r is 0 up to rho = 5 here, as in torch. The paper's threshold is 4.",
        "rho > 4",
        "rho > 5",
    ),
    sign_of_the_ratio=(
        "At t = 1 both rho - 4 and rho - 2 are negative, and their product is not: ask whether rho > 4.",
        GIVEN,
        "np.sqrt(np.maximum(ratio, 0))",
    ),
    one_below=("Below the threshold r is 0, not 1.", "ratio, 0)", "ratio, 1)"),
    nothing_tested=("Where rho <= 4 the ratio means nothing: r is 0 there.", GIVEN, "np.sqrt(ratio)"),
    absolute=("", GIVEN, "np.sqrt(np.abs(ratio))"),
    no_root=("This is r squared.", GIVEN, "np.where(rho > 4, ratio, 0)"),
    ratio_turned=(
        "This is the ratio the wrong way up: r is below 1 and grows towards it.",
        RATIO,
        "((end - 4) * (end - 2) * rho) / ((rho - 4) * (rho - 2) * end)",
    ),
    rho_left_out=(
        "rho_inf above and rho_t below are missing in the ratio.",
        RATIO,
        "(rho - 4) * (rho - 2) / ((end - 4) * (end - 2))",
    ),
    end_without_one=(
        "rho_inf is 2 / (1 - beta2) - 1: the 1 is missing.",
        END,
        "2 / (1 - beta2)",
        LEFT,
        "end",
    ),
    end_of_beta=(
        "rho_inf is 2 / (1 - beta2) - 1; here the 2 is a 1.",
        END,
        "1 / (1 - beta2) - 1",
        LEFT,
        "end",
    ),
    without_t=("The second term of rho_t has the factor t.", "2 * t /", "2 /"),
    without_two=("The second term of rho_t has the factor 2.", "2 * t /", "t /"),
    one_minus_missing=(
        "The second term is divided by 1 - beta2**t.",
        f"2 * t / {OLDER}",
        "2 * t * beta2 ** np.asarray(t, dtype=float)",
    ),
    t_from_zero=(
        "t counts from 1: at t = 1 one gradient has gone in, and rho is 1.",
        f"t / {OLDER}",
        "(t - 1) / np.maximum(np.expm1(-(t - 1) * np.log(beta2)), 1e-300)",
    ),
    t_ahead=(
        "t counts from 1: at t = 1 one gradient has gone in, and rho is 1. This is a step ahead.",
        f"t / {OLDER}",
        "(t + 1) / np.expm1(-(t + 1) * np.log(beta2))",
    ),
    exchanged=("The order is (rho, r).", f"return rho, {GIVEN}", f"return {GIVEN}, rho"),
)

PASTE = f"""
import math

{inspect.getsource(rectification)}

def rectify(t, beta2):
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    return rho, np.vectorize(rectification, otypes=[float])(t, beta2)
"""


NEAR = 2e-2  # what float32 makes of 1 - beta2 is within that, but where beta2 is nearly 1
FEW_DIGITS = "That is close: are there few digits in something, as in float32? Work in float64."


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """rho and r at every step; and whether they are as far off as float32 would make them."""
    t, beta2 = case.given["t"].ravel(), case.given["beta2"]
    shown = f"1 - {1 - beta2:.2g}" if beta2 > 0.9999 else f"{beta2:.6g}"
    verdict = first_off(
        arrays, expected, lambda name, i: f"{name} at t = {t[i]:,} with beta2 = {shown}", atol=0.0
    )
    near = all(not differs(arrays[name], want, NEAR, NEAR).any() for name, want in expected.items())
    return verdict if verdict.score == 1 or not near else Verdict(0.0, f"{verdict.message} {FEW_DIGITS}")


def idle(t, beta2):
    return t, np.zeros(np.shape(t))


def one(t, beta2):
    return t, np.ones(np.shape(t))


GRADER = Grader(
    reference=Answer(rectify),
    right=answers(mean_age, in_decimals, in_torch),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(idle, one),
    judge=judge,
)
