"""Super-convergence: how many epochs one cycle of the rate saves. `measured` makes the record `super_convergence`.

A schedule is judged by the shortest run, of the lengths that its setting lists, at whose end the held-out error is at
most the target; a constant rate, which has no end, by the first epoch of its longest run. So each has its best length,
and at each length its best rate, chosen on seeds and on a part of the data that nothing is judged by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mlsys.experiments import together
from mlsys.experiments.parallel import parallel
from mlsys.optim import schedules
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
SCHEDULES: dict[str, Callable[[int], Schedule]] = {
    "constant": lambda steps: schedules.constant(),
    "step": lambda steps: schedules.step_decay(max(1, steps // 3)),
    "cosine": schedules.cosine,
    "cycle 0.5": lambda steps: schedules.one_cycle(steps, rising=0.5),
    "cycle 0.3": schedules.one_cycle,
    "rise 0.5": lambda steps: schedules.one_cycle(steps, rising=0.5, momentum=None),
}


@dataclass(frozen=True)
class Setting:
    """What is learnt, and how.

    target : the error that counts as learnt, set after trial runs
    lengths : of the runs, in epochs;  longest : of a constant rate
    rates : {optimiser: its grid};  schedules : those tried;  tuning, seeds : how many choose, and how many are measured
    batch : examples a step;  noise : share of the labels to learn from that are drawn at random
    """

    target: float
    lengths: tuple[int, ...]
    longest: int
    rates: dict[str, tuple[float, ...]]
    schedules: tuple[str, ...]
    tuning: int
    seeds: int
    batch: int
    noise: float = 0.0


def powers(low: int, high: int) -> tuple[float, ...]:
    """Powers of two."""
    return tuple(2.0**k for k in range(low, high + 1))


DIGITS = {"sgd": powers(-5, 0), "adamw": powers(-8, -3)}
NOISY = {"sgd": powers(-8, -1), "adamw": powers(-11, -3)}
SETTINGS = {
    "digits": Setting(0.04, (2, 3, 4, 6, 8, 12, 16), 32, DIGITS, tuple(SCHEDULES), 6, 100, batch=32),
    "noisy": Setting(0.09, (1, 2, 3, 4, 6, 8, 12), 48, NOISY, tuple(SCHEDULES), 6, 200, batch=8, noise=0.3),
}


def measured_seeds(count: int) -> list[int]:
    """The first so many, from 1 on, that nothing is chosen by."""
    return [seed for seed in range(1, count + len(TUNING_SEEDS) + 1) if seed not in TUNING_SEEDS][:count]


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
    at, every = SETTINGS[setting], int(schedule == "constant")
    way = SCHEDULES[schedule]
    return together.train(optimiser, rates, seeds, at.batch, epochs, way, part, every, at.noise).error


def cell(setting: str, optimiser: str, schedule: str) -> dict[str, Any]:
    """{"rates": the best, "errors": a row a seed}: at the end of each length; of a constant rate, after each epoch."""
    at = SETTINGS[setting]
    tuning, measured = TUNING_SEEDS[: at.tuning], measured_seeds(at.seeds)
    grid, rates, columns = at.rates[optimiser], [], []
    for length in (at.longest,) if schedule == "constant" else at.lengths:
        run = partial(errors, setting, optimiser, schedule, epochs=length)
        tried = run(grid, tuning, part="valid")
        scores = passage(tried, at.target).mean(0) if schedule == "constant" else tried[..., -1].mean(0)
        rates.append(grid[int(scores.argmin())])
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


def recorded() -> dict[str, Any]:
    """What the record `super_convergence` has."""
    return record.load("super_convergence")["result"]


def epochs(setting: str, optimiser: str, schedule: str, group: int = 1) -> np.ndarray:
    """Epochs to the target, a seed each; a run that never arrives counts as the longest.

    group : so many seeds, whose mean error must be at most the target, in place of one
    """
    at, error = SETTINGS[setting], np.array(recorded()[setting][optimiser][schedule]["errors"])
    error = error.reshape(-1, group, error.shape[-1]).mean(axis=1)
    return passage(error, at.target, () if schedule == "constant" else at.lengths).astype(float)


NAMES = {"sgd": "SGD with momentum", "adamw": "AdamW"}
WORDS = {
    "digits": "digits, network of one hidden layer, 96 % right",
    "noisy": "digits of which 30 % have labels at random, batches of 8, 91 % right",
}
AGAINST = {
    "constant": "a constant rate",
    "step": "a rate that falls tenfold after each third",
    "cosine": "a cosine, which only falls",
    "cycle 0.3": "a cycle that peaks at 0.3 of the run",
    "rise 0.5": "the same rate and a momentum that stays at 0.9",
}


def saving(setting: str, optimiser: str, against: str) -> Result:
    """Epochs with another schedule over epochs with one cycle that peaks at half of the run."""
    usual = against in ("constant", "step")
    claim = Claim(
        name_of(setting, optimiser, against),
        f"{CYCLE} needs fewer epochs than {AGAINST[against]}: {NAMES[optimiser]}, {WORDS[setting]}.",
        LECTURE if usual or against == "cycle 0.3" else "Our control: what of the cycle helps?",
        f"log2 of the epochs to the target with {AGAINST[against]} over those with one cycle, best length and rate "
        f"each; {_caps(setting)}",
        "positive",
        MARGIN,
        reported=REPORTED if usual else "",
        bootstrap=True,
    )
    return measure(claim, list(_log2(setting, optimiser, against)))


def rise(setting: str, optimiser: str) -> Result:
    """What the rise alone does: the rate of one cycle and of a cosine, both with a momentum that stays."""
    claim = Claim(
        f"rise-{setting}-{optimiser}",
        f"A rate that rises for half of the run needs more epochs than a cosine, the momentum at 0.9 in both: "
        f"{NAMES[optimiser]}, {WORDS[setting]}.",
        "Our control: is it the rise, or the momentum?",
        "log2 of the epochs to the target with the rise over those with a cosine, best length and rate each; "
        f"{_caps(setting)}",
        "positive",
        MARGIN,
        bootstrap=True,
    )
    return measure(claim, list(_log2(setting, optimiser, "rise 0.5", ahead="cosine")))


def _caps(setting: str) -> str:
    at = SETTINGS[setting]
    return f"a run that never arrives counts as {at.lengths[-1]} epochs, with a constant rate as {at.longest}"


CYCLE = "One cycle that peaks at half of the run"


def _log2(setting: str, optimiser: str, against: str, group: int = 1, ahead: str = "cycle 0.5") -> np.ndarray:
    return np.log2(epochs(setting, optimiser, against, group) / epochs(setting, optimiser, ahead, group))


TEN = 10  # runs: a constant rate's error goes up and down, and the best moment of one run is luck


def quarter(setting: str, optimiser: str) -> Result:
    """Whether one cycle needs a quarter of the epochs, or less, where what must arrive is the mean of ten runs."""
    longest = SETTINGS[setting].longest
    late = epochs(setting, optimiser, "constant", TEN) == longest
    claim = Claim(
        f"one-cycle-quarter-{optimiser}",
        f"{CYCLE} needs at most a quarter of the epochs of a constant rate: {NAMES[optimiser]}, {WORDS[setting]}, the "
        "mean of ten runs.",
        "Our goal at this scale, where the lecture has a third to a tenth",
        "log2 of the epochs until the mean error of ten runs is at the target with a constant rate over those with one "
        f"cycle, minus 2; {sum(late)} of {len(late)} tens with a constant rate never arrive, and count as {longest} "
        "epochs",
        "at least",
        MARGIN,
        reported=REPORTED,
        bootstrap=True,
    )
    return measure(claim, list(_log2(setting, optimiser, "constant", TEN) - 2))


def name_of(setting: str, optimiser: str, against: str) -> str:
    """Of a claim."""
    short = {"cycle 0.3": "peak-3", "rise 0.5": "momentum"}.get(against, against)
    return f"one-cycle-{setting}-{optimiser}-{short}"


PAIRS = [(setting, optimiser) for setting, at in SETTINGS.items() for optimiser in at.rates]
CLAIMS: Mapping[str, Callable[[], Result]] = {
    **{
        name_of(*pair, against): partial(saving, *pair, against)
        for pair in PAIRS
        for against in SCHEDULES
        if against != "cycle 0.5"
    },
    **{f"rise-{setting}-{optimiser}": partial(rise, setting, optimiser) for setting, optimiser in PAIRS},
    **{f"one-cycle-quarter-{optimiser}": partial(quarter, "noisy", optimiser) for optimiser in NOISY},
}
