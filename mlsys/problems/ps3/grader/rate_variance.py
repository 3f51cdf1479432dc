"""How the variance of the adaptive rate is judged."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim.schedules import rectification
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps3.grader.first_off import first_off

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def rate_variance(g, sigma, beta2):
    v, measured, predicted = 0.0, [], []
    for t in range(1, g.shape[1] + 1):
        v = beta2 * v + (1 - beta2) * g[:, t - 1] ** 2
        v_hat = v / (1 - beta2**t)
        rho = 2 / (1 - beta2) - 1 - 2 * t * beta2**t / (1 - beta2**t)
        if t >= 3:
            mean = math.sqrt(rho / 2) * math.exp(math.lgamma((rho - 1) / 2) - math.lgamma(rho / 2))
            measured.append(np.var(sigma / np.sqrt(v_hat)))
            predicted.append(rho / (rho - 2) - mean**2)
    return measured, predicted


def at_once(g, sigma, beta2):
    steps = g.shape[1]
    t = np.arange(1, steps + 1)
    age = t[:, None] - t
    weights = np.where(age >= 0, beta2 ** np.maximum(age, 0), 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    measured = ((g / sigma) ** 2 @ weights.T) ** -0.5
    rho = 1 + 2 * (weights * np.maximum(age, 0)).sum(axis=1)
    rho = rho[2:]
    log_gamma = np.vectorize(math.lgamma)
    ratio = np.exp(2 * (log_gamma((rho - 1) / 2) - log_gamma(rho / 2)))
    return measured.var(axis=0)[2:], rho / (rho - 2) - rho / 2 * ratio


def in_torch(g, sigma, beta2):
    g = torch.as_tensor(g)
    v, measured, predicted = torch.zeros(len(g), dtype=g.dtype), [], []
    for t in range(1, g.shape[1] + 1):
        v = torch.lerp(v, (g[:, t - 1] / sigma) ** 2, 1 - beta2)
        measured.append((v / (1 - beta2**t)).rsqrt().var(correction=0))
        rho = torch.tensor((1 + beta2) / (1 - beta2) - 2 * t * beta2**t / (1 - beta2**t), dtype=g.dtype)
        # in terms of the Beta function, as the paper has it
        log_beta = 2 * torch.lgamma((rho - 1) / 2) - torch.lgamma(rho - 1)
        square = torch.exp(torch.log(rho) + (2 * rho - 5) * math.log(2) - math.log(math.pi) + 2 * log_beta)
        predicted.append(rho / (rho - 2) - square)
    return torch.stack(measured[2:]), torch.stack(predicted[2:])


def loops(g, sigma, beta2):
    runs, steps = g.shape
    v, measured, predicted = [0.0] * runs, [], []
    for t in range(1, steps + 1):
        rates = []
        for i in range(runs):
            v[i] += (1 - beta2) * (float(g[i, t - 1]) ** 2 - v[i])
            rates.append(sigma / math.sqrt(v[i] / (1 - beta2**t)))
        ages = [beta2**k for k in range(t)]
        rho = 1 + 2 * sum(k * a for k, a in enumerate(ages)) / sum(ages)
        if t < 3:
            continue
        ratio = math.exp(2 * (math.lgamma((rho - 1) / 2) - math.lgamma(rho / 2)))
        mean = sum(rates) / runs
        measured.append(sum((x - mean) ** 2 for x in rates) / runs)
        predicted.append(rho / (rho - 2) - rho / 2 * ratio)
    return measured, predicted


CORRECTED, MEASURED = "v / (1 - beta2**t)", "np.var(sigma / np.sqrt(v_hat))"
RHO = "2 / (1 - beta2) - 1 - 2 * t * beta2**t / (1 - beta2**t)"
MEAN = "math.sqrt(rho / 2) * math.exp(math.lgamma((rho - 1) / 2) - math.lgamma(rho / 2))"
PREDICTED = "rho / (rho - 2) - mean**2"

WRONG = edits(
    rate_variance,
    not_corrected=("v starts at 0: the rate is that of v_hat = v / (1 - beta2**t).", CORRECTED, "v"),
    sample_variance=(
        "This divides by the number of runs less one, as torch.var does by default (correction=0 there, ddof=0 in "
        "NumPy): here the mean of the squared distances is asked for.",
        MEASURED,
        "np.var(sigma / np.sqrt(v_hat), ddof=1)",
    ),
    standard_deviation=(
        "measured is a standard deviation: square it.",
        MEASURED,
        MEASURED.replace("var", "std"),
    ),
    without_sigma=(
        "The rate is sigma / sqrt(v_hat), without a unit: sigma is left out.",
        MEASURED,
        "np.var(1 / np.sqrt(v_hat))",
    ),
    no_root=("The rate is 1 over the root of v_hat.", MEASURED, "np.var(sigma**2 / v_hat)"),
    variance_of_the_root=(
        "This is the variance of sqrt(v_hat). The rate is one over it.",
        MEASURED,
        "np.var(np.sqrt(v_hat) / sigma)",
    ),
    with_epsilon=(
        "Something is added to the root or to v_hat, an epsilon. There is none here: gradients may be as small as they "
        "like.",
        MEASURED,
        "np.var(sigma / (np.sqrt(v_hat) + 1e-8))",
    ),
    mean_square=(
        "This is the mean of the squared rate: the square of its mean is still to be subtracted.",
        MEASURED,
        "np.mean(sigma**2 / v_hat)",
    ),
    over_the_steps=(
        "This is the variance over the steps so far of the first run. Asked is that over the runs, at each step.",
        MEASURED,
        "np.var([sigma / np.sqrt((1 - beta2) * sum(beta2 ** (s - i) * g[0, i] ** 2 for i in range(s + 1)) / (1 - beta2 "
        "** (s + 1))) for s in range(min(t, 40))])",
    ),
    first_order=(
        "That is RAdam's approximation, rho / (2 (rho - 2) (rho - 4)), which its r_t is made of. Here the exact "
        "formula is "
        "asked for; the cell below shows how far they differ.",
        PREDICTED,
        "rho / (2 * (rho - 2) * (rho - 4))",
    ),
    t_in_place_of_rho=(
        "The average weighs recent gradients more, so that it is worth rho_t of them and not t.",
        RHO,
        "t",
    ),
    end_in_place_of_rho=(
        "This is the formula at rho_inf, at every step: rho_t is needed.",
        RHO,
        "2 / (1 - beta2) - 1",
    ),
    predicted_with_a_unit=(
        "The rate sigma / sqrt(v_hat) has no unit, nor has its variance: predicted does not depend on sigma.",
        PREDICTED,
        f"sigma**2 * ({PREDICTED})",
    ),
    mean_not_squared=("The variance is the mean square less the square of the mean.", "mean**2", "mean"),
    gamma_overflows=("", MEAN, "math.sqrt(rho / 2) * math.gamma((rho - 1) / 2) / math.gamma(rho / 2)"),
    gammas_turned=(
        "The two Gamma functions are the wrong way up: Gamma((rho - 1) / 2) is above.",
        MEAN,
        "math.sqrt(rho / 2) * math.exp(math.lgamma(rho / 2) - math.lgamma((rho - 1) / 2))",
    ),
    from_the_first_step=("", "t >= 3", "t >= 1 and rho > 0"),
    exchanged=(
        "The order is (measured, predicted).",
        "return measured, predicted",
        "return predicted, measured",
    ),
)

PASTE = f"""
import math

{inspect.getsource(rectification)}

def rate_variance(g, sigma, beta2):
    end, v, measured, predicted = 2 / (1 - beta2) - 1, 0.0, [], []
    for t in range(1, g.shape[1] + 1):
        v = beta2 * v + (1 - beta2) * g[:, t - 1] ** 2
        measured.append(np.var(sigma / np.sqrt(v / (1 - beta2**t))))
        r = rectification(t, beta2, 4.0)
        predicted.append(end / (2 * (end - 2) * (end - 4)) / r**2 if r else np.inf)
    return measured[2:], predicted[2:]
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """Both variances at every step."""
    return first_off(arrays, expected, lambda name, i: f"{name} at t = {i + 3}", rtol=1e-4, atol=1e-9)


def idle(g, sigma, beta2):
    return np.zeros((2, g.shape[1] - 2))


GRADER = Grader(
    reference=Answer(rate_variance),
    right=answers(at_once, in_torch, loops),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(idle),
    judge=judge,
)
