"""How the tuning study is judged: the protocol first, from the log, which is held against the study's own figures."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mlsys.optim import search
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps2.tuning_runs import BUDGET, OPTIMIZERS, losses, study

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere

EACH = BUDGET // 2
NAMES = {"adamw": "AdamW", "sgd": "SGD"}
TARGET = 0.7
PROTOCOL = 0.5  # of a case's share, whatever the result
RULE = "The results count only once the protocol is right."


class Trial(NamedTuple):
    """A row of the log with what the study says of those settings."""

    row: int
    rate: float
    decay: float
    told: float
    train: float
    valid: float
    test: float


def serve(case: Case) -> Case:
    """A fresh study, and neither the seed nor the rows."""
    return Case(case.title, {"study": study(case.given["seed"], case.given["d"])})


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """Half for the protocol, and once it is right a quarter for each optimiser whose choice reaches the target."""
    trials = read(case, arrays["log"])
    fault = in_the_log(trials, arrays["log"]) or in_the_budgets(trials, int(arrays["left"]))
    for name in OPTIMIZERS:
        fault = fault or in_the_choice(name, trials[name], arrays[name], trials)
    if fault:
        return Verdict(0.0, f"{fault} {RULE}")
    score, texts = PROTOCOL, []
    for name in OPTIMIZERS:
        best = chosen(trials[name], arrays[name])
        assert best is not None
        reached = best.test <= TARGET
        score += (1 - PROTOCOL) / 2 * reached
        texts.append(f"{NAMES[name]}'s choice has a loss of {best.test:.3g}")
        texts[-1] += "" if reached else f" ({look_further(best, trials[name])})"
    return Verdict(score, f"On test rows {', '.join(texts)}; the target is {TARGET:g}.")


def read(case: Case, log: np.ndarray) -> dict[str, list[Trial]]:
    """The trials of each optimiser, in the order of the log; those that could not have been made have losses of nan."""
    found: dict[str, list[Trial]] = {name: [] for name in OPTIMIZERS}
    for k, (which, rate, decay, told) in enumerate(log[: 2 * BUDGET].tolist(), 1):
        made = 0 < rate < np.inf and 0 <= decay < np.inf
        name = OPTIMIZERS[int(which)]
        real = losses(case.given["seed"], case.given["d"], name, rate, decay) if made else (np.nan,) * 3
        found[name].append(Trial(k, rate, decay, told, *real))
    return found


def in_the_log(trials: dict[str, list[Trial]], log: np.ndarray) -> str:
    """What is untrue in the log; empty if nothing is."""
    seen: dict[tuple[str, float, float], int] = {}
    rows = sorted((trial.row, name, trial) for name in OPTIMIZERS for trial in trials[name])
    for k, name, trial in rows:
        call = f"{name}({trial.rate:.6g}, {trial.decay:.6g})"
        if not _near(trial.told, trial.valid):
            text = f"Row {k} of the log says {trial.told:.6g} of {call}"
            if np.isnan(trial.valid):
                return f"{text}: such a trial cannot be made."
            if _near(trial.told, trial.train):
                return f"{text}. That is the training loss; the log holds the second of the two, that of validation."
            return f"{text}; the study says {trial.valid:.6g}. The log holds each trial's validation loss."
        first = seen.setdefault((name, trial.rate, trial.decay), k)
        if first != k:
            return (
                f"Rows {first} and {k} of the log are the same trial, {call}: the second tells nothing new."
            )
    return ""


def in_the_budgets(trials: dict[str, list[Trial]], left: int) -> str:
    """What is unfair between the two, or left out; empty if nothing is."""
    counts = [len(trials[name]) for name in OPTIMIZERS]
    if counts == [EACH, EACH]:
        return ""
    told = f"Trials in the log: {counts[0]} of AdamW and {counts[1]} of SGD; it should be {EACH} of each."
    if sum(counts) + left < BUDGET:
        return f"{told} {BUDGET - left} were made: a log leaves none out, the bad ones neither."
    if counts[0] != counts[1]:
        return f"{told} Who is tuned longer wins more often: a comparison gives both the same budget."
    return f"{told} {left} of {BUDGET} were not made."


def in_the_choice(name: str, mine: list[Trial], settings: np.ndarray, trials: dict[str, list[Trial]]) -> str:
    """Why these settings should not have been chosen; empty if they should."""
    best = min(mine, key=lambda trial: trial.valid)
    taken, chose = chosen(mine, settings), f"{name} = ({settings[0]:.6g}, {settings[1]:.6g})"
    if taken is None:
        other = next(n for n in OPTIMIZERS if n != name)
        hint = f" They are {NAMES[other]}'s: each has its own." if chosen(trials[other], settings) else ""
        return f"{chose} is in no row of {NAMES[name]}'s in the log.{hint}"
    if taken.valid <= best.valid or _near(taken.valid, best.valid):
        return ""
    text = (
        f"{chose} has a validation loss of {taken.valid:.6g}; row {best.row} of the log has {best.valid:.6g}."
    )
    if taken.train <= min(trial.train for trial in mine):
        return f"{text} You chose the least training loss. Choose on validation: the training rows are known by heart."
    return f"{text} Choose the least."


def chosen(mine: list[Trial], settings: np.ndarray) -> Trial | None:
    """The trial that these settings are those of, if there is one; the best, where others lie close by."""
    these = [t for t in mine if _near(t.rate, settings[0]) and _near(t.decay, settings[1])]
    return min(these, key=lambda trial: trial.valid, default=None)


def look_further(best: Trial, mine: list[Trial]) -> str:
    """Where the best may lie, if it is at an edge of what was tried."""
    if not any(trial.decay for trial in mine):
        return "no decay above 0 was tried"
    places = []
    for name in ("rate", "decay"):
        tried = [getattr(trial, name) for trial in mine]
        if min(tried) == max(tried):
            places.append(f"one {name} alone was tried")
        elif getattr(best, name) == min(tried) and min(tried) > 0:
            places.append(f"the smallest {name} of all was the best")
        elif getattr(best, name) == max(tried):
            places.append(f"the largest {name} of all was the best")
    return (
        f"{' and '.join(places)}: look beyond"
        if places
        else "the trials are too far apart, or too close together"
    )


def _near(one: float, other: float) -> bool:
    return one == other or bool(abs(one - other) <= 1e-4 * abs(other))


def tune(study):
    log = []
    for rate in np.logspace(-3, 0, 6):
        for decay in np.logspace(-2, 1, 5):
            log.append(("adamw", rate, decay, study.adamw(rate, decay)[1]))
            log.append(("sgd", rate, decay, study.sgd(rate, decay)[1]))
    best = {}
    for name in ("adamw", "sgd"):
        best[name] = min((row for row in log if row[0] == name), key=lambda row: row[3])[1:3]
    return best["adamw"], best["sgd"], log


def wide_then_near(study):
    rng, log, best = np.random.default_rng(0), [], []
    for name, run in (("adamw", study.adamw), ("sgd", study.sgd)):
        top = (0.03, 0.3, np.inf)
        for k in range(30):
            if k < 16:
                rate, decay = 10 ** rng.uniform(-3, 0), 10 ** rng.uniform(-2, 1)
            else:
                rate, decay = top[0] * 10 ** rng.uniform(-0.6, 0.6), top[1] * 10 ** rng.uniform(-0.6, 0.6)
            _, valid = run(rate, decay)
            log.append([name, rate, decay, valid])
            if valid < top[2]:
                top = (rate, decay, valid)
        best.append(top[:2])
    return best[0], best[1], log


def one_after_the_other(study):
    log, best = [], []
    for name in ("adamw", "sgd"):
        mine: list = []

        def trial(rate, decay, name=name, mine=mine):
            mine.append((name, rate, decay, getattr(study, name)(rate, decay)[1]))

        for power in range(15):
            trial(0.001 * 1.6**power, 0.3)
        rate = min(mine, key=lambda row: row[3])[1]
        for power in range(15):
            trial(rate, 0.011 * 1.6**power)
        log += mine
        best.append(min(mine, key=lambda row: row[3])[1:3])
    return (*best, log)


def in_torch(study):
    log, best = [], []
    for name in ("adamw", "sgd"):
        grid = torch.cartesian_prod(torch.logspace(-2.5, -0.5, 5), torch.logspace(-1.5, 1, 6))
        valid = torch.stack([torch.as_tensor(getattr(study, name)(*pair))[1] for pair in grid])
        log += [(name, *pair, loss) for pair, loss in zip(grid, valid.float(), strict=True)]
        best.append(grid[valid.argmin()])
    return best[0], best[1], log


SELECT, ADAMW = (
    "key=lambda row: row[3])[1:3]",
    'log.append(("adamw", rate, decay, study.adamw(rate, decay)[1]))',
)
SGD, RATES, DECAYS = ADAMW.replace("adamw", "sgd"), "np.logspace(-3, 0, 6)", "np.logspace(-2, 1, 5)"
RETURN = 'return best["adamw"], best["sgd"], log'

# The messages are the judge's: none needs a hint.
WRONG = edits(
    tune,
    without_decay=("", RATES, "np.logspace(-3, 0, 30)", DECAYS, "[0.0]"),
    narrow=("", RATES, "np.logspace(-3.3, -2.7, 6)", DECAYS, "np.logspace(-2.5, -1.5, 5)"),
    training_losses_logged=("", ADAMW, ADAMW.replace("[1]", "[0]"), SGD, SGD.replace("[1]", "[0]")),
    longer_for_one=("", SGD, "if decay < 0.1:\n                " + SGD),
    half_the_budget=("", DECAYS, "np.logspace(-2, 1, 5)[::2]"),
    best_rows_alone=(
        "",
        RETURN,
        "log = [(n, *best[n], min(r[3] for r in log if r[0] == n)) for n in best]\n    " + RETURN,
    ),
    bad_trials_left_out=("", RETURN, "log = [row for row in log if row[3] < 1]\n    " + RETURN),
    same_trial_again=("", DECAYS, "np.full(5, 0.3)"),
    same_settings_for_both=("", RETURN, 'return best["adamw"], best["adamw"], log'),
    choices_exchanged=("", RETURN, 'return best["sgd"], best["adamw"], log'),
    the_last_one=("", RETURN, "return log[-2][1:3], log[-1][1:3], log"),
    the_worst=("", "best[name] = min(", "best[name] = max("),
    invented=("", RETURN, "log = [(*row[:3], 0.9 * row[3]) for row in log]\n    " + RETURN),
    over_budget=("", RATES, "np.logspace(-3, 0, 7)"),
)


def selects_on_training(study):
    log, best = [], []
    for name in ("adamw", "sgd"):
        mine = []
        for rate in np.logspace(-3, 0, 10):
            for decay in (0.0, 0.1, 1.0):
                train, valid = getattr(study, name)(rate, decay)
                mine.append((name, rate, decay, valid, train))
        best.append(min(mine, key=lambda row: row[4])[1:3])
        log += [row[:4] for row in mine]
    return best[0], best[1], log


PASTE = f"""
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mlsys.core.checks import real, whole

class Range:
    def __init__(self, low, high):
        self.low, self.high = low, high

    {inspect.getsource(search.Range.at).strip().replace("if self.log", "if True")}

    def suspect(self, value):
        return False

Space = Mapping[str, Range]

{inspect.getsource(search.Trial)}

{inspect.getsource(search.Found)}

{inspect.getsource(search.draw)}

{inspect.getsource(search.random_search)}

def tune(study):
    space, rng = {{"rate": Range(1e-3, 0.1), "decay": Range(1e-2, 1.0)}}, np.random.default_rng(0)
    adamw = random_search(lambda at: float(study.adamw(at["rate"], at["decay"])[1]), space, 30, rng)
    sgd = random_search(lambda at: float(study.sgd(at["rate"], at["decay"])[1]), space, 30, rng)
    return adamw.best.at, sgd.best.at, [*adamw.trials, *sgd.trials]
"""


def idle(study):
    return (0.03, 1.0), (0.03, 0.1), [("adamw", 0.03, 1.0, 0.2), ("sgd", 0.03, 0.1, 0.1)]


GRADER = Grader(
    reference=Answer(tune),
    right=answers(wide_then_near, one_after_the_other, in_torch),
    wrong={**answers(selects_on_training), **WRONG, "paste": Answer(PASTE)},
    idle=answers(idle),
    judge=judge,
    serve=serve,
)
