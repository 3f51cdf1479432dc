"""Super-convergence: how many epochs one cycle of the rate saves. `measured` makes the record `super_convergence`.

A schedule is judged by the shortest run, of the lengths that its setting lists, at whose end the held-out error is at
most the target; a constant rate, which has no end, by the first epoch of its longest run. So each has its best length.
Each rate is chosen on seeds and on a part of the data that nothing is judged by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import torch

from mlsys.experiments.protocol import parallel
from mlsys.experiments.tasks import TASKS, train
from mlsys.optim import SGD, AdamW, schedules
from mlsys.optim.schedules import Schedule
from mlsys.report import Claim, Result, measure, record

LECTURE = "The lecture; Gugger & Howard (2018), Smith & Topin (2018)"
TUNING_SEEDS = (101, 102)
MARGIN = (
    0.25  # of the log2 of a ratio of epochs: a factor of 1.19, half of a step from one length to the next
)


def sgd(parameters: Any, rate: float) -> torch.optim.Optimizer:
    """SGD with momentum 0.9, but where the cycle says another."""
    return SGD(parameters, lr=rate, momentum=0.9)


def adamw(parameters: Any, rate: float) -> torch.optim.Optimizer:
    """AdamW with its defaults, but where the cycle says another beta1."""
    return AdamW(parameters, lr=rate)


MAKERS = {"sgd": sgd, "adamw": adamw}
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

    target : the error that counts as learnt;  rates : {optimiser: its grid};  lengths : of the runs, in epochs
    tuned_at : epochs of the runs by which the rate of a schedule is chosen;  seeds : how many are measured
    A constant rate runs for the longest of the lengths, and its rate is chosen by runs of half of that.
    """

    task: str
    target: float
    rates: dict[str, tuple[float, ...]]
    lengths: tuple[int, ...]
    tuned_at: int
    seeds: int


RATES: dict[str, tuple[float, ...]] = {"sgd": (0.125, 0.25, 0.5, 1.0), "adamw": (0.0125, 0.03, 0.07, 0.16)}
SETTINGS = {
    "shapes": Setting("shapes-conv", 0.06, RATES, (6, 8, 12, 16, 24, 32, 48, 64), 12, 6),
    "digits": Setting("digits-mlp", 0.025, RATES, (3, 4, 6, 8, 12, 16, 24, 32, 48, 64), 12, 12),
}
TRIED = {"shapes": ("constant", "step", "cycle 0.5"), "digits": tuple(SCHEDULES)}


def curve(
    setting: str, optimiser: str, schedule: str, rate: float, seed: int, epochs: int, part: str = "test"
) -> list[float]:
    """The error after each epoch of a run."""
    task, make = TASKS[SETTINGS[setting].task], MAKERS[optimiser]
    done = train(task, seed, lambda ps: make(ps, rate), part, SCHEDULES[schedule], epochs)  # type: ignore[arg-type]
    return [float(f"{e:.5g}") for e in done.error]


def rate_of(setting: str, optimiser: str, schedule: str) -> float:
    """The best rate on the tuning seeds: by the error at the end, of a constant rate by the lowest on the way."""
    at = SETTINGS[setting]
    epochs = at.lengths[-1] // 2 if schedule == "constant" else at.tuned_at
    calls = [
        (setting, optimiser, schedule, rate, seed, epochs, "valid")
        for rate in at.rates[optimiser]
        for seed in TUNING_SEEDS
    ]
    found = np.array(parallel(curve, calls)).reshape(-1, len(TUNING_SEEDS), epochs)
    scores = (found.min(2) if schedule == "constant" else found[..., -1]).mean(1)
    return at.rates[optimiser][int(scores.argmin())]


def shortest(setting: str, optimiser: str, schedule: str, rate: float, seed: int) -> dict[str, Any]:
    """{"epochs": until the target, "errors": at the end of each length tried; of a constant rate after each epoch}.

    A run that never gets there counts as the longest.
    """
    at = SETTINGS[setting]
    if schedule == "constant":
        error = curve(setting, optimiser, schedule, rate, seed, at.lengths[-1])
        reached = [epoch for epoch, e in enumerate(error, 1) if e <= at.target]
        return {"epochs": min(reached, default=at.lengths[-1]), "errors": error}
    errors: list[float] = []
    for length in at.lengths:
        errors.append(curve(setting, optimiser, schedule, rate, seed, length)[-1])
        if errors[-1] <= at.target:
            break
    return {"epochs": length, "errors": errors}


def measured(
    settings: Sequence[str] = tuple(SETTINGS), seeds: int | None = None, rates: dict[str, Any] | None = None
) -> dict[str, Any]:
    """{setting: {optimiser: {schedule: {"rate", "runs": what `shortest` says, a seed each}}}}.

    seeds : how many, in place of the setting's;  rates : {setting: {optimiser: {schedule: rate}}} in place of a search
    """
    cells = [(at, optimiser, way) for at in settings for optimiser in MAKERS for way in TRIED[at]]
    chosen = {
        (at, optimiser, way): rates[at][optimiser][way] if rates else rate_of(at, optimiser, way)
        for at, optimiser, way in cells
    }
    calls = [
        (*cell, chosen[cell], seed)
        for cell in cells
        for seed in range(1, 1 + (seeds or SETTINGS[cell[0]].seeds))
    ]
    done = parallel(shortest, calls)
    result: dict[str, Any] = {}
    for (at, optimiser, way, rate, _), found in zip(calls, done, strict=True):
        kept = result.setdefault(at, {}).setdefault(optimiser, {}).setdefault(way, {"rate": rate, "runs": []})
        kept["runs"].append(found)
    return result


@cache
def recorded() -> dict[str, Any]:
    """What the record `super_convergence` has."""
    return record.load("super_convergence")["result"]


def epochs(setting: str, optimiser: str, schedule: str) -> np.ndarray:
    """Epochs to the target, a seed each."""
    return np.array([run["epochs"] for run in recorded()[setting][optimiser][schedule]["runs"]], float)


NAMES = {"sgd": "SGD with momentum", "adamw": "AdamW"}
WORDS = {
    "shapes": "generated shapes, conv net, 94 % right",
    "digits": "digits, network of one hidden layer, 97.5 % right",
}
AGAINST = {
    "constant": "a constant rate",
    "step": "a rate that falls tenfold after each third",
    "cosine": "the cosine without a rise",
    "cycle 0.3": "a peak at 0.3 of the run",
}


def saving(setting: str, optimiser: str, against: str) -> Result:
    """Epochs with another schedule over epochs with one cycle that peaks at half of the run."""
    peak = against == "cycle 0.3"
    statement = (
        f"The rate should grow for about half of the run: {NAMES[optimiser]}, {WORDS[setting]}."
        if peak
        else f"One cycle needs fewer epochs than {AGAINST[against]}: {NAMES[optimiser]}, {WORDS[setting]}."
    )
    claim = Claim(
        f"one-cycle-{setting}-{optimiser}-{against.replace(' ', '-').replace('.', '')}",
        statement,
        LECTURE,
        f"log2 of the epochs to the target with {AGAINST[against]} over those with one cycle that peaks at half of "
        "the run, the best length and rate of each",
        "positive",
        MARGIN,
        reported="" if peak else REPORTED,
    )
    return measure(
        claim, list(np.log2(epochs(setting, optimiser, against) / epochs(setting, optimiser, "cycle 0.5")))
    )


REPORTED = (
    "18 or 30 epochs where 100 were usual (CIFAR-10), 60 for 600 (Cars), 90 for 750 or 500 (WikiText-2)"
)
CLAIMS: dict[str, Callable[[], Result]] = {
    f"one-cycle-{setting}-{optimiser}-{against.replace(' ', '-').replace('.', '')}": partial(
        saving, setting, optimiser, against
    )
    for setting in SETTINGS
    for optimiser in MAKERS
    for against in TRIED[setting]
    if against != "cycle 0.5"
}
