"""Warm-up on and off, over rates and batch sizes; `measured` makes the record `warm_up`.

Two questions that are often taken for one. Is the loss lower with a warm-up, each at its own best rate? And is the
range of rates wider at which the loss is good? A run's loss is the mean training loss of its last epoch; all rates fall
to zero along a cosine, so that what is left at the end is not the noise of the last steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import torch

from mlsys.experiments.protocol import parallel
from mlsys.experiments.runs import FACTOR
from mlsys.experiments.tasks import TASKS, Task, train
from mlsys.models.networks import transformer_model
from mlsys.optim import SGD, Adam, RAdam, RMSprop, schedules
from mlsys.optim.schedules import Schedule
from mlsys.report import Claim, Result, measure, record

LECTURE = "The lecture on warm-up"
SEEDS = tuple(range(1, 11))
TUNING_SEEDS = (101, 102, 103, 104)  # choose the best rates; no effect is measured on them
Optimiser = Callable[[Any, float], torch.optim.Optimizer]


def adam(parameters: Any, rate: float) -> torch.optim.Optimizer:
    """Adam with its defaults."""
    return Adam(parameters, lr=rate)


def rmsprop(parameters: Any, rate: float) -> torch.optim.Optimizer:
    """RMSProp with torch's defaults: rho = 0.99, no correction."""
    return RMSprop(parameters, lr=rate)


def radam(parameters: Any, rate: float) -> torch.optim.Optimizer:
    """RAdam with its defaults."""
    return RAdam(parameters, lr=rate)


def sgd(parameters: Any, rate: float) -> torch.optim.Optimizer:
    """SGD with momentum 0.9."""
    return SGD(parameters, lr=rate, momentum=0.9)


def grid(low: int, high: int) -> tuple[float, ...]:
    """Powers of two from 2**low to 2**high."""
    return tuple(2.0**k for k in range(low, high + 1))


MAKERS: dict[str, Optimiser] = {"adam": adam, "rmsprop": rmsprop, "radam": radam, "sgd": sgd}
WARMUPS: dict[str, Callable[[int], list[Schedule]]] = {
    "none": lambda steps: [],
    "linear": lambda steps: [schedules.linear_warmup(max(1, steps // 5))],
    "short": lambda steps: [schedules.linear_warmup(max(1, steps // 20))],
    "exponential": lambda steps: [schedules.exponential_warmup(steps / 10)],
    "radam": lambda steps: [schedules.radam_warmup(0.999)],
}


def following(warmup: str) -> Callable[[int], Schedule]:
    """Steps of a run -> the warm-up of this name times a cosine down to zero."""
    return lambda steps: schedules.product(*WARMUPS[warmup](steps), schedules.cosine(steps))


def transformer(seed: int) -> torch.nn.Module:
    """Two pre-norm blocks of width 32 over 57 words."""
    return transformer_model(57, width=32, context=32, seed=seed)


@dataclass(frozen=True)
class Setting:
    """task : what is learnt;  rates : {optimiser: its grid};  warmups : {optimiser: those tried}
    usable : a rate is usable where the loss is at most so many times the best of all, with warm-up or without
    seeds : of TUNING_SEEDS and of SEEDS, how many are used
    """

    task: Task
    rates: dict[str, tuple[float, ...]]
    warmups: dict[str, tuple[str, ...]]
    usable: float
    seeds: tuple[int, int]


BOTH = ("none", "linear")
DIGITS = TASKS["digits-mlp"]
TEXT = replace(TASKS["text-lstm"], name="text-transformer", network=transformer, epochs=5)
DIGIT_RATES = {"adam": grid(-9, 1), "rmsprop": grid(-12, -1), "radam": grid(-7, 3), "sgd": grid(-6, 3)}
TEXT_RATES = {"adam": grid(-10, -2), "sgd": grid(-4, 2)}
SETTINGS = {
    "digits, small batch": Setting(
        DIGITS, DIGIT_RATES, dict.fromkeys(MAKERS, BOTH) | {"adam": tuple(WARMUPS)}, 2.0, (4, 10)
    ),
    "digits, large batch": Setting(
        replace(DIGITS, batch=256), DIGIT_RATES, dict.fromkeys(MAKERS, BOTH), 2.0, (4, 10)
    ),
    "text": Setting(TEXT, TEXT_RATES, dict.fromkeys(TEXT_RATES, BOTH), 1.25, (2, 5)),
}


def runs(setting: str, optimiser: str, warmup: str, seed: int) -> dict[str, list[float]]:
    """{"loss", "error"} of a seed, a number a rate. Text's loss is its error: held-out nats above the entropy."""
    task, rates = SETTINGS[setting].task, SETTINGS[setting].rates[optimiser]
    curves = [
        train(task, seed, lambda ps, r=rate: MAKERS[optimiser](ps, r), schedule=following(warmup))  # type: ignore[misc]
        for rate in rates
    ]
    error = [float(f"{curve.error[-1]:.5g}") for curve in curves]
    loss = [float(f"{curve.loss[-1]:.5g}") for curve in curves]
    return {"loss": error if task.metric == "nats" else loss, "error": error}


def measured(settings: Sequence[str] = tuple(SETTINGS)) -> dict[str, Any]:
    """{setting: {optimiser: {warm-up: {"tuning": losses, "loss", "error"}}}}, a row a seed, a column a rate."""
    cells = [
        (setting, optimiser, warmup)
        for setting in settings
        for optimiser, warmups in SETTINGS[setting].warmups.items()
        for warmup in warmups
    ]
    calls = [(*cell, seed) for cell in cells for seed in all_seeds(cell[0])]
    done = dict(zip(calls, parallel(runs, calls), strict=True))
    result: dict[str, Any] = {}
    for setting, optimiser, warmup in cells:
        found = [done[setting, optimiser, warmup, seed] for seed in all_seeds(setting)]
        tuning = SETTINGS[setting].seeds[0]
        rows = {"tuning": [each["loss"] for each in found[:tuning]]}
        rows |= {key: [each[key] for each in found[tuning:]] for key in ("loss", "error")}
        result.setdefault(setting, {}).setdefault(optimiser, {})[warmup] = rows
    return result


def all_seeds(setting: str) -> tuple[int, ...]:
    """Those that choose the rates, then those that are measured."""
    tuning, measured = SETTINGS[setting].seeds
    return TUNING_SEEDS[:tuning] + SEEDS[:measured]


@cache
def recorded() -> dict[str, Any]:
    """What the record `warm_up` has."""
    return record.load("warm_up")["result"]


def best(kept: dict[str, Any]) -> int:
    """The number of the rate whose worst loss on the tuning seeds is smallest.

    Raises ValueError if it is the first or the last: a better one may lie beyond.
    """
    worst = np.max(kept["tuning"], axis=0)
    chosen = int(worst.argmin())
    if chosen in (0, len(worst) - 1):
        raise ValueError(f"rates must reach beyond the best one; got number {chosen} of {len(worst)}.")
    return chosen


def tuned_gains(without: dict[str, Any], warm: dict[str, Any], column: str = "loss") -> list[float]:
    """log10 of the loss without warm-up over that with it, a seed each, both at their best rates."""
    above = np.array(without[column])[:, best(without)]
    below = np.array(warm[column])[:, best(warm)]
    return list(np.log10(above / below))


def decades(losses: np.ndarray, level: float, spacing: float) -> float:
    """How wide the rates are, in decades, at which the loss is at most `level`.

    losses : (rates,), at rates of a spacing of so many decades, between which log loss is a straight line
    """
    z = np.log10(losses / level)
    left, right = z[:-1], z[1:]
    low, high = np.minimum(left, right), np.maximum(left, right)
    inside = np.where(high <= 0, 1.0, np.where(low >= 0, 0.0, -low / np.maximum(high - low, 1e-300)))
    return float(spacing * inside.sum())


def widened(without: dict[str, Any], warm: dict[str, Any], usable: float) -> list[float]:
    """Decades of usable rates with warm-up minus those without, a seed each."""
    gains = []
    for off, on in zip(np.array(without["loss"]), np.array(warm["loss"]), strict=True):
        level = usable * min(off.min(), on.min())
        gains.append(decades(on, level, np.log10(2)) - decades(off, level, np.log10(2)))
    return gains


WORDS = {
    "digits, small batch": "digits, network of one hidden layer, batches of 32",
    "digits, large batch": "digits, network of one hidden layer, batches of 256, as many epochs",
    "text": "generated text, transformer of two blocks, batches of 16",
}
NAMES = {"adam": "Adam", "rmsprop": "RMSProp", "radam": "RAdam", "sgd": "SGD with momentum"}
PLACES = {"digits, small batch": "", "digits, large batch": "-large", "text": "-text"}


def gain(optimiser: str, setting: str) -> Result:
    """The loss without warm-up over that with it, each at its best rate."""
    adaptive = optimiser != "sgd"
    helps = (
        f"Warm-up lowers the loss of {NAMES[optimiser]}"
        if adaptive
        else "Warm-up is not useful for plain SGD"
    )
    what = "excess over the entropy, held out" if setting == "text" else "training loss"
    claim = Claim(
        f"warm-up-{optimiser}{PLACES[setting]}",
        f"{helps}, best rates: {WORDS[setting]}.",
        LECTURE,
        f"log10 of the {what} without warm-up over that with a linear one over a fifth of the steps, best rate each",
        "positive" if adaptive else "none",
        FACTOR,
    )
    return measure(claim, tuned_gains(*_pair(optimiser, setting)))


def widening(optimiser: str, setting: str) -> Result:
    """How much wider the range of usable rates is with warm-up."""
    adaptive = optimiser != "sgd"
    usable = SETTINGS[setting].usable
    claim = Claim(
        f"warm-up-range-{optimiser}{PLACES[setting]}",
        f"Warm-up {'widens' if adaptive else 'does not widen'} the range of usable rates of {NAMES[optimiser]}: "
        f"{WORDS[setting]}.",
        "Our reading of the same claim",
        f"decades of rates at which the loss is at most {usable:g} times the best of all, with warm-up minus without",
        "positive" if adaptive else "none",
        FACTOR,
    )
    return measure(claim, widened(*_pair(optimiser, setting), usable))


def _pair(optimiser: str, setting: str) -> tuple[dict[str, Any], dict[str, Any]]:
    kept = recorded()[setting][optimiser]
    return kept["none"], kept["linear"]


CLAIMS: dict[str, Callable[[], Result]] = {
    f"{stem}-{optimiser}{PLACES[setting]}": partial(function, optimiser, setting)
    for stem, function in (("warm-up", gain), ("warm-up-range", widening))
    for setting in SETTINGS
    for optimiser in SETTINGS[setting].rates
}
