"""Super-convergence: how many epochs one cycle of the rate saves. `measured` makes the record `super_convergence`.

A schedule is judged by the shortest run, of the lengths that its setting lists, at whose end the held-out error is at
most the target; a constant rate, which has no end, by the first epoch of its longest run. So each has its best length,
and at each length its best rate, chosen on seeds and on a part of the data that nothing is judged by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import torch

from mlsys.experiments import together
from mlsys.experiments.protocol import parallel
from mlsys.experiments.tasks import TASKS, train
from mlsys.optim import SGD, AdamW, schedules
from mlsys.optim.schedules import Schedule
from mlsys.report import Claim, Result, measure, record

LECTURE = "The lecture; Gugger & Howard (2018), Smith & Topin (2018)"
REPORTED = (
    "18 or 30 epochs where 100 were usual (CIFAR-10), 60 for 600 (Cars), 90 for 750 or 500 (WikiText-2)"
)
TUNING_SEEDS = tuple(range(101, 107))
MARGIN = (
    0.25  # of the log2 of a ratio of epochs: a factor of 1.19, half of a step from one length to the next
)


def sgd(parameters: Any, rate: float) -> torch.optim.Optimizer:
    """SGD with momentum 0.9, but where the cycle says another."""
    return SGD(parameters, lr=rate, momentum=0.9)


def adamw(parameters: Any, rate: float) -> torch.optim.Optimizer:
    """AdamW with its defaults, but where the cycle says another beta1."""
    return AdamW(parameters, lr=rate)


SCHEDULES: dict[str, Callable[[int], Schedule]] = {
    "constant": lambda steps: schedules.constant(),
    "step": lambda steps: schedules.step_decay(max(1, steps // 3)),
    "cosine": schedules.cosine,
    "cycle 0.5": lambda steps: schedules.one_cycle(steps, rising=0.5),
    "cycle 0.3": schedules.one_cycle,
}


@dataclass(frozen=True)
class Setting:
    """What is learnt, and how.

    target : the error that counts as learnt, at which nearly all runs arrive;  hard : one that a constant rate seldom
    reaches, where there is such a one;  lengths : of the runs, in epochs;  longest : of a constant rate
    rates : {optimiser: its grid};  schedules : those tried;  tuning, seeds : how many choose, and how many are measured
    batch : of the network on digits, 0 where the task says it;  noise : share of labels drawn at random
    """

    target: float
    lengths: tuple[int, ...]
    longest: int
    rates: dict[str, tuple[float, ...]]
    schedules: tuple[str, ...]
    tuning: int
    seeds: int
    batch: int = 0
    noise: float = 0.0
    hard: float = 0.0


def powers(low: int, high: int) -> tuple[float, ...]:
    """Powers of two."""
    return tuple(2.0**k for k in range(low, high + 1))


DIGITS = {"sgd": powers(-5, 0), "adamw": powers(-8, -3)}
NOISY = {"sgd": powers(-8, -3), "adamw": powers(-11, -5)}
SHAPES = {"sgd": powers(-3, 0), "adamw": powers(-6, -3)}
SETTINGS = {
    "digits": Setting(0.04, (2, 3, 4, 6, 8, 12, 16), 32, DIGITS, tuple(SCHEDULES), 6, 60, batch=32),
    "noisy": Setting(
        0.09, (1, 2, 3, 4, 6, 8, 12), 24, NOISY, tuple(SCHEDULES), 6, 60, batch=8, noise=0.3, hard=0.08
    ),
    "shapes": Setting(0.06, (6, 8, 12, 16, 24), 32, SHAPES, ("constant", "step", "cycle 0.5"), 2, 5),
}


def errors(
    setting: str,
    optimiser: str,
    schedule: str,
    rates: Sequence[float],
    seeds: Sequence[int],
    epochs: int,
    part: str,
) -> np.ndarray:
    """The held-out error after each epoch: (seeds, rates, epochs); before the last one NaN if it was not looked at."""
    at, way = SETTINGS[setting], SCHEDULES[schedule]
    every = int(schedule == "constant")
    if at.batch:
        return together.train(
            optimiser, rates, seeds, at.batch, epochs, way, part, every=every, noise=at.noise
        ).error
    task, make = TASKS["shapes-conv"], {"sgd": sgd, "adamw": adamw}[optimiser]
    found = [
        [train(task, seed, lambda ps, r=rate: make(ps, r), part, way, epochs).error for rate in rates]  # type: ignore[misc, arg-type]
        for seed in seeds
    ]
    return np.array(found)


def cell(setting: str, optimiser: str, schedule: str) -> dict[str, Any]:
    """{"rates": the best, "errors": a row a seed}: at the end of each length; of a constant rate, after each epoch."""
    at = SETTINGS[setting]
    tuning, measured = TUNING_SEEDS[: at.tuning], range(1, at.seeds + 1)
    rates, columns = [], []
    for length in (at.longest,) if schedule == "constant" else at.lengths:
        run = partial(errors, setting, optimiser, schedule, epochs=length)
        tried = run(at.rates[optimiser], tuning, part="valid")
        scores = passage(tried, at.target).mean(0) if schedule == "constant" else tried[..., -1].mean(0)
        rates.append(at.rates[optimiser][int(scores.argmin())])
        columns.append(run(rates[-1:], measured, part="test")[:, 0])
    found = columns[0] if schedule == "constant" else np.array([column[:, -1] for column in columns]).T
    return {"rates": rates, "errors": together.columns(found)}


def passage(error: np.ndarray, target: float, lengths: Sequence[int] = ()) -> np.ndarray:
    """The first epoch (last axis), or the shortest of the lengths, whose error is at most the target; else the last."""
    at = np.asarray(lengths or range(1, error.shape[-1] + 1))
    reached = error <= target
    return np.where(reached.any(-1), at[reached.argmax(-1)], at[-1])


def measured(settings: Sequence[str] = tuple(SETTINGS)) -> dict[str, Any]:
    """{setting: {optimiser: {schedule: what `cell` says}}}."""
    cells = [(at, o, way) for at in settings for o in SETTINGS[at].rates for way in SETTINGS[at].schedules]
    result: dict[str, Any] = {}
    for (at, optimiser, way), found in zip(cells, parallel(cell, cells), strict=True):
        result.setdefault(at, {}).setdefault(optimiser, {})[way] = found
    return result


@cache
def recorded() -> dict[str, Any]:
    """What the record `super_convergence` has."""
    return record.load("super_convergence")["result"]


def epochs(setting: str, optimiser: str, schedule: str, target: float = 0.0) -> np.ndarray:
    """Epochs to a target, the setting's own by default, a seed each; a run that never arrives counts as the longest."""
    at, error = SETTINGS[setting], np.array(recorded()[setting][optimiser][schedule]["errors"])
    return passage(error, target or at.target, () if schedule == "constant" else at.lengths).astype(float)


NAMES = {"sgd": "SGD with momentum", "adamw": "AdamW"}
WORDS = {
    "digits": "digits, network of one hidden layer, 96 % right",
    "noisy": "digits of which 30 % have labels at random, batches of 8, 91 % right",
    "shapes": "generated shapes, conv net, 94 % right",
}
AGAINST = {
    "constant": "a constant rate",
    "step": "a rate that falls tenfold after each third",
    "cosine": "a cosine, which only falls",
    "cycle 0.3": "a cycle that peaks at 0.3 of the run",
}


def saving(setting: str, optimiser: str, against: str) -> Result:
    """Epochs with another schedule over epochs with one cycle that peaks at half of the run."""
    usual = against in ("constant", "step")
    claim = Claim(
        name_of(setting, optimiser, against),
        f"{CYCLE} needs fewer epochs than {AGAINST[against]}: {NAMES[optimiser]}, {WORDS[setting]}.",
        LECTURE if usual or against == "cycle 0.3" else "Our control: is it the rise that helps?",
        f"log2 of the epochs to the target with {AGAINST[against]} over those with one cycle, best length and rate "
        "each",
        "positive",
        MARGIN,
        reported=REPORTED if usual else "",
        bootstrap=True,
    )
    return measure(claim, _log2(setting, optimiser, against))


CYCLE = "One cycle that peaks at half of the run"


def _log2(setting: str, optimiser: str, against: str, target: float = 0.0) -> list[float]:
    found = epochs(setting, optimiser, against, target) / epochs(setting, optimiser, "cycle 0.5", target)
    return list(np.log2(found))


def quarter(setting: str, optimiser: str) -> Result:
    """Whether one cycle needs a quarter of the epochs, or less, where the target is one that a constant rate misses."""
    at = SETTINGS[setting]
    arrived = np.min(recorded()[setting][optimiser]["constant"]["errors"], axis=1) <= at.hard
    claim = Claim(
        f"one-cycle-quarter-{optimiser}",
        f"{CYCLE} needs a quarter of the epochs: {NAMES[optimiser]}, {WORDS[setting]}, but {100 * (1 - at.hard):g} % "
        "right.",
        "Our goal at this scale, where the lecture has a third to a tenth",
        "log2 of the epochs to the target with a constant rate over those with one cycle, minus 2; "
        f"{sum(~arrived)} of {len(arrived)} constant rates never arrive, and count as {at.longest} epochs",
        "at least",
        MARGIN,
        reported=REPORTED,
        bootstrap=True,
    )
    return measure(claim, list(np.array(_log2(setting, optimiser, "constant", at.hard)) - 2))


def name_of(setting: str, optimiser: str, against: str) -> str:
    """Of a claim."""
    return f"one-cycle-{setting}-{optimiser}-{against.replace('cycle 0.', 'peak-')}"


CLAIMS: Mapping[str, Callable[[], Result]] = {
    name_of(setting, optimiser, against): partial(saving, setting, optimiser, against)
    for setting, at in SETTINGS.items()
    for optimiser in at.rates
    for against in at.schedules
    if against != "cycle 0.5"
} | {f"one-cycle-quarter-{optimiser}": partial(quarter, "noisy", optimiser) for optimiser in NOISY}
