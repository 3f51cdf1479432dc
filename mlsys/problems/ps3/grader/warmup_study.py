"""How the study of warm-up is judged: the table against our own runs, the widths against the student's table."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim import schedules
from mlsys.optim.rules import rmsprop
from mlsys.problems.coerce import short
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps3.warmup_study import CALLS, drive

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere

# Of a loss in [0, 1]. A run may magnify rounding, so an entry is judged only where a change of the start by JOLT
# changes it by less than NEAR / 10. In float64, rounding is 1e10 times smaller than JOLT; in float32, 10 times.
NEAR, JOLT = 1e-3, 1e-6
ROWS = ("without warm-up", "with warm-up")


def warmup_study(problem, rates, steps, warm, rho, target):
    table = np.zeros((2, len(rates)))
    for row, length in enumerate((0, warm)):
        for k, eta in enumerate(rates):
            w, r = problem.start, 0.0
            for t in range(steps):
                g = problem.gradient(w, t)
                r = rho * r + (1 - rho) * g**2
                w = w - eta * min(1, (t + 1) / (length + 1)) * g / np.sqrt(r)
            table[row, k] = problem.loss(w)
    usable = table <= target * problem.loss(problem.start)
    width = [math.log10(max(rates[u]) / min(rates[u])) if u.any() else 0.0 for u in usable]
    return table, width


def loops(problem, rates, steps, warm, rho, target):
    def run(eta, length):
        w, r = list(problem.start), [0.0] * len(problem.start)
        for t in range(steps):
            g = problem.gradient(w, t)
            rate = eta if t >= length else eta * (t + 1) / (length + 1)
            for j in range(len(w)):
                r[j] += (1 - rho) * (float(g[j]) ** 2 - r[j])
                w[j] -= rate * float(g[j]) / math.sqrt(r[j])
        return problem.loss(w)

    enough = target * problem.loss(problem.start)
    table = [[run(eta, length) for eta in rates] for length in (0, warm)]
    width = []
    for row in table:
        usable = [eta for eta, loss in zip(rates, row, strict=True) if loss <= enough]
        width.append(math.log10(usable[-1]) - math.log10(usable[0]) if usable else 0)
    return table, width


def in_float32(problem, rates, steps, warm, rho, target):
    f = np.float32
    enough, table, width = target * problem.loss(problem.start), [], []
    for length in (0, warm):
        losses = []
        for eta in rates:
            w, r = problem.start.astype(f), f(0)
            for t in range(steps):
                g = problem.gradient(w, t).astype(f)
                r = f(rho) * r + f(1 - rho) * g * g
                w -= f(eta * min(1, (t + 1) / (length + 1))) * g / np.sqrt(r)
            losses.append(problem.loss(w))
        good = [eta for eta, loss in zip(rates, losses, strict=True) if loss <= enough]
        table.append(losses)
        width.append(np.log10(max(good) / min(good)) if good else 0.0)
    return table, width


def in_torch(problem, rates, steps, warm, rho, target):
    table = torch.zeros(2, len(rates), dtype=torch.float64)
    for k, eta in enumerate(rates):
        for row, length in enumerate((0, warm)):
            w = torch.tensor(problem.start)
            opt = torch.optim.RMSprop([w], lr=1.0, alpha=rho, eps=0.0)
            for t in range(steps):
                opt.param_groups[0]["lr"] = eta * min(1.0, (t + 1) / (length + 1))
                w.grad = torch.as_tensor(problem.gradient(w, t))
                opt.step()
            table[row, k] = problem.loss(w)
    good = table <= target * problem.loss(problem.start)
    logs = np.log10(rates)
    return table, [float(np.ptp(logs[g.numpy()])) if g.any() else 0.0 for g in good]


START, FACTOR = "w, r = problem.start, 0.0\n", "min(1, (t + 1) / (length + 1))"
AVERAGE, LOSS = "r = rho * r + (1 - rho) * g**2", "table[row, k] = problem.loss(w)"
WIDTH = "math.log10(max(rates[u]) / min(rates[u]))"
ENOUGH = "target * problem.loss(problem.start)"

WRONG = edits(
    warmup_study,
    state_is_kept=(
        "The average r is carried from one run to the next, so that no run but the first begins without statistics.",
        "    table = np.zeros((2, len(rates)))\n",
        "    table, r = np.zeros((2, len(rates))), 0.0\n",
        START,
        "w = problem.start\n",
    ),
    weights_are_kept=(
        "A run begins where the last one ended. Every run begins at problem.start.",
        "    table = np.zeros((2, len(rates)))\n",
        "    table, w = np.zeros((2, len(rates))), problem.start\n",
        START,
        "r = 0.0\n",
    ),
    warm_up_starts_at_zero=(
        "The first step of a warm-up has the rate eta / (warm + 1), and not 0: the factor is (t + 1) / (warm + 1).",
        FACTOR,
        "(1 if length == 0 else min(1, t / length))",
    ),
    peak_a_step_early=(
        "The whole rate is reached at t = warm, as in exercise 1; here a step earlier.",
        FACTOR,
        "min(1, (t + 1) / max(length, 1))",
    ),
    warm_up_in_both=(
        "Both rows are made with warm-up: the first one is without.",
        "(0, warm)",
        "(warm, warm)",
    ),
    rows_exchanged=("The first row is without warm-up, the second with it.", "(0, warm)", "(warm, 0)"),
    falls_after_the_peak=(
        "After the warm-up the rate stays at eta: here it falls as in exercise 1.",
        FACTOR,
        "min((t + 1) / (length + 1), ((length + 1) / (t + 1)) ** 0.5)",
    ),
    never_whole=(
        "The rate goes on growing after the warm-up: from t = warm on it is eta.",
        FACTOR,
        "((t + 1) / (length + 1) if length else 1)",
    ),
    starts_at_the_square=(
        "The average starts at the first squared gradient here. From 0 the first step is 1 / sqrt(1 - rho) times "
        "as long, "
        "which is what the warm-up is for.",
        AVERAGE,
        f"{AVERAGE} if t else g**2",
    ),
    corrected=(
        "The average is corrected for its start at 0 here, as in Adam. RMSProp does not do that.",
        "np.sqrt(r)",
        "np.sqrt(r / (1 - rho ** (t + 1)))",
    ),
    before_the_average=(
        "The step divides by the average from before this gradient went in.",
        AVERAGE,
        f"old, {AVERAGE.replace('r =', 'r = (g**2 * (1 - rho) if t == 0 else r),')}",
        "np.sqrt(r)",
        "np.sqrt(old)",
    ),
    no_root=("The step divides by the root of the average.", "np.sqrt(r)", "r"),
    noise_of_one_step=(
        "The gradient of step 0 is asked for at every step: pass t.",
        "problem.gradient(w, t)",
        "problem.gradient(w, 0)",
    ),
    step_missing=(
        "A run has `steps` steps, t = 0 to steps - 1; here one is missing.",
        "range(steps)",
        "range(steps - 1)",
    ),
    steps_from_one=("", "problem.gradient(w, t)", "problem.gradient(w, t + 1)"),
    longer_with_warm_up=(
        "",
        "range(steps)",
        "range(steps + length)",
        "problem.gradient(w, t)",
        "problem.gradient(w, min(t, steps - 1))",
    ),
    gradient_twice=("", AVERAGE, AVERAGE.replace("g**2", "problem.gradient(w, t) ** 2")),
    best_loss=(
        "Asked is the loss after the last step, not the lowest on the way.",
        START,
        "w, r, best = problem.start, 0.0, np.inf\n",
        LOSS,
        "table[row, k] = best",
        "/ np.sqrt(r)\n",
        "/ np.sqrt(r)\n                best = min(best, problem.loss(w))\n",
    ),
    natural_logarithm=("", "math.log10(", "math.log("),
    ratio_alone=("", WIDTH, "max(rates[u]) / min(rates[u])"),
    difference=("", WIDTH, "max(rates[u]) - min(rates[u])"),
    target_absolute=("", ENOUGH, "target"),
    unusable=("", "table <=", "table >"),
)

PASTE = f"""
import math
from collections import namedtuple

xp = np

def whole(least, steps):
    return steps

Schedule = namedtuple("Schedule", "name factor momentum", defaults=(None,))

{inspect.getsource(schedules.linear_warmup)}

{inspect.getsource(rmsprop.body)}

def warmup_study(problem, rates, steps, warm, rho, target):
    table = np.zeros((2, len(rates)))
    for row, schedule in enumerate((linear_warmup(1), linear_warmup(warm))):
        for k, eta in enumerate(rates):
            w, r = problem.start, 0.0
            for t in range(steps):
                w, r = body(w, problem.gradient(w, t), r, eta * schedule.factor(t + 1), rho, 1 - rho, 1e-8)
            table[row, k] = problem.loss(w)
    usable = table <= target * problem.loss(problem.start)
    return table, [math.log10(max(rates[u]) / min(rates[u])) if u.any() else 0.0 for u in usable]
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The table within NEAR, the calls exactly, and the widths as they follow from the table that was given."""
    table, want, rates = arrays["table"], expected["table"], case.given["rates"]
    asked, fair = int(arrays[CALLS]), int(expected[CALLS])
    if asked != fair:
        return Verdict(
            0.0,
            f"gradient was called {asked} times. Both rows get the same budget, one gradient a step: "
            f"2 rows of {len(rates)} runs of {len(case.given['noise'])} steps make {fair}.",
        )
    off = ~(np.abs(table - want) <= NEAR)
    if off.any():
        off &= _steady(case, want)
    for row, k in np.argwhere(off):
        text = f"The final loss at the rate {rates[k]:.4g} {ROWS[row]} should be {short(want[row, k])}"
        return Verdict(0.0, f"{text}; it is {short(table[row, k])}.")
    return _widths(case, arrays, table)


def _steady(case: Case, table: np.ndarray) -> np.ndarray:
    """Which entries of our own table do not hang on rounding."""
    jolted = Case(case.title, {**case.given, "start": case.given["start"] * (1 + JOLT)})
    return np.abs(drive(warmup_study, jolted)["table"] - table) < NEAR / 10


def _widths(case: Case, arrays: Arrays, table: np.ndarray) -> Verdict:
    """Whether the widths follow from the table."""
    enough = case.given["target"] * _at_start(case)
    for row, (losses, width) in enumerate(zip(table, arrays["width"], strict=True)):
        usable = case.given["rates"][losses <= enough]
        want = math.log10(usable.max() / usable.min()) if usable.size else 0.0
        if not abs(width - want) <= 1e-5:
            span = f"from {usable.min():.4g} to {usable.max():.4g}" if usable.size else "none"
            return Verdict(
                0.0,
                f"The table is right. Usable {ROWS[row]} are the rates whose final loss is at most target * loss(start)"
                f" = {enough:.4g}: {span}. The width is {want:.4g} decades; you have {short(width)}.",
            )
    return Verdict(1.0)


def _at_start(case: Case) -> float:
    a, start = case.given["a"], case.given["start"]
    return float(1 - np.mean((1 - a * start**2) ** 2))


def idle(problem, rates, steps, warm, rho, target):
    return np.ones((2, len(rates))), np.zeros(2)


GRADER = Grader(
    reference=Answer(warmup_study),
    right=answers(loops, in_torch, in_float32),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(idle),
    judge=judge,
)
