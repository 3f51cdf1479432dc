"""Warm-up on and off, over rates and batch sizes; `measured` makes the record `warm_up`.

Two questions that are often taken for one. Is the loss lower with a warm-up, each at its own best rate? And is the
range of rates wider at which the loss is good? A run's loss is the mean training loss of its last epoch; all rates fall
to zero along a cosine, so that what is left at the end is not the noise of the last steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from mlsys.experiments import together
from mlsys.experiments.parallel import parallel
from mlsys.experiments.runs import FACTOR, SHARE
from mlsys.experiments.tasks import Task, sentences, train
from mlsys.models.networks import transformer_model
from mlsys.optim import SGD, Adam, schedules
from mlsys.optim.schedules import Schedule
from mlsys.report import Claim, Result, measure, record

LECTURE = "The lecture on warm-up"
TUNING_SEEDS = tuple(range(101, 109))  # choose the best rates; no effect is measured on them
Optimiser = Callable[[Any, float], torch.optim.Optimizer]


def adam(parameters: Any, rate: float) -> torch.optim.Optimizer:
    """Adam with its defaults."""
    return Adam(parameters, lr=rate)


def sgd(parameters: Any, rate: float) -> torch.optim.Optimizer:
    """SGD with momentum 0.9."""
    return SGD(parameters, lr=rate, momentum=0.9)


def grid(low: float, high: float, step: float) -> tuple[float, ...]:
    """Powers of two from 2**low to 2**high, so many a step."""
    return tuple(2.0 ** np.arange(low, high + step / 2, step))


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


@dataclass(frozen=True)
class Setting:
    """What is learnt, by which optimisers, with which warm-ups.

    batch, epochs : of a run;  rates, warmups : {optimiser: those tried};  spacing : of the rates, in decades
    usable : a rate is usable where the loss is at most so many times the best of all, with warm-up or without
    tuning, seeds : of the seeds that choose rates and of those that are measured, how many
    """

    batch: int
    epochs: int
    rates: dict[str, tuple[float, ...]]
    warmups: dict[str, tuple[str, ...]]
    spacing: float
    usable: float
    tuning: int
    seeds: int

    @property
    def all_seeds(self) -> tuple[int, ...]:
        """Those that choose the rates, then those that are measured."""
        return TUNING_SEEDS[: self.tuning] + tuple(range(1, self.seeds + 1))


BOTH = ("none", "linear")
SOME = {
    "adam": tuple(WARMUPS),
    "rmsprop": ("none", "linear", "short", "exponential"),
    "radam": BOTH,
    "sgd": BOTH,
}
DIGIT_RATES = {
    "adam": grid(-7, 0, 0.5),
    "rmsprop": grid(-9, -1.5, 0.5),
    "radam": grid(-3.5, 3, 0.5),
    "sgd": grid(-4, 2, 0.5),
}
TEXT_RATES = {"adam": grid(-10, -2, 1), "sgd": grid(-4, 2, 1)}
FINE, COARSE = np.log10(2) / 2, np.log10(2)
SETTINGS = {
    "digits, batch 32": Setting(32, 15, DIGIT_RATES, SOME, FINE, 2.0, 8, 60),
    "digits, batch 256": Setting(256, 15, DIGIT_RATES, dict.fromkeys(DIGIT_RATES, BOTH), FINE, 2.0, 8, 60),
    "text": Setting(16, 6, TEXT_RATES, dict.fromkeys(TEXT_RATES, BOTH), COARSE, 1.25, 2, 5),
}


def transformer(seed: int) -> torch.nn.Module:
    """Two pre-norm blocks of width 32 over 57 words."""
    return transformer_model(57, width=32, context=32, seed=seed)


def cell(setting: str, optimiser: str, warmup: str) -> dict[str, list[list[float]]]:
    """{"tuning": losses, "loss", "error"}, a row a seed, a column a rate. Text's loss is its error."""
    at = SETTINGS[setting]
    if setting == "text":
        error = np.array([_text(optimiser, warmup, seed) for seed in at.all_seeds])
        loss = error
    else:
        found = together.train(
            optimiser, at.rates[optimiser], at.all_seeds, at.batch, at.epochs, following(warmup)
        )
        loss, error = found.loss[..., -1], found.error[..., -1]
    rows = {"tuning": loss[: at.tuning], "loss": loss[at.tuning :], "error": error[at.tuning :]}
    return {name: together.columns(values) for name, values in rows.items()}


def _text(optimiser: str, warmup: str, seed: int) -> list[float]:
    """Held-out nats above the entropy of the generated language, a rate each."""
    at, make = SETTINGS["text"], {"adam": adam, "sgd": sgd}[optimiser]
    task = Task("text-transformer", sentences, transformer, at.batch, at.epochs, metric="nats", worst=2.0)
    curves = [
        train(task, seed, lambda ps, r=rate: make(ps, r), schedule=following(warmup))  # type: ignore[misc]
        for rate in at.rates[optimiser]
    ]
    return [float(curve.error[-1]) for curve in curves]


def measured(settings: Sequence[str] = tuple(SETTINGS)) -> dict[str, Any]:
    """{setting: {optimiser: {warm-up: what `cell` says}}}."""
    cells = [
        (setting, optimiser, warmup)
        for setting in settings
        for optimiser in SETTINGS[setting].rates
        for warmup in SETTINGS[setting].warmups[optimiser]
    ]
    result: dict[str, Any] = {}
    for (setting, optimiser, warmup), rows in zip(cells, parallel(cell, cells), strict=True):
        result.setdefault(setting, {}).setdefault(optimiser, {})[warmup] = rows
    return result


def recorded() -> dict[str, Any]:
    """What the record `warm_up` has."""
    return record.load("warm_up")["result"]


def best(kept: dict[str, Any]) -> int:
    """The number of the rate whose mean log loss on the tuning seeds is smallest.

    Raises ValueError if it is the first or the last: a better one may lie beyond.
    """
    found = np.mean(np.log(kept["tuning"]), axis=0)
    chosen = int(found.argmin())
    if chosen in (0, len(found) - 1):
        raise ValueError(f"rates must reach beyond the best one; got number {chosen} of {len(found)}.")
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


def widened(without: dict[str, Any], warm: dict[str, Any], at: Setting) -> list[float]:
    """Decades of usable rates with warm-up minus those without, a seed each."""
    gains = []
    for off, on in zip(np.array(without["loss"]), np.array(warm["loss"]), strict=True):
        level = at.usable * min(off.min(), on.min())
        gains.append(decades(on, level, at.spacing) - decades(off, level, at.spacing))
    return gains


WORDS = {
    "digits, batch 32": "digits, network of one hidden layer, batches of 32",
    "digits, batch 256": "digits, network of one hidden layer, batches of 256, as many epochs",
    "text": "generated text, transformer of two blocks, batches of 16",
}
NAMES = {"adam": "Adam", "rmsprop": "RMSProp", "radam": "RAdam", "sgd": "SGD with momentum"}
PLACES = {"digits, batch 32": "", "digits, batch 256": "-256", "text": "-text"}


def gain(optimiser: str, setting: str) -> Result:
    """The loss without warm-up over that with it, each at its best rate."""
    what = "excess over the entropy, held out," if setting == "text" else "training loss"
    claim = Claim(
        f"warm-up-{optimiser}{PLACES[setting]}",
        SAYS[optimiser][0] + f", each at its best rate: {WORDS[setting]}.",
        SAYS[optimiser][2],
        f"log10 of the {what} without warm-up over that with a linear one over a fifth of the steps, best rate each",
        "none" if optimiser in ("radam", "sgd") else "positive",
        FACTOR,
    )
    kept = recorded()[setting][optimiser]
    return measure(claim, tuned_gains(kept["none"], kept["linear"]))


def widening(optimiser: str, setting: str) -> Result:
    """How much wider the range of usable rates is with warm-up."""
    at = SETTINGS[setting]
    claim = Claim(
        f"warm-up-range-{optimiser}{PLACES[setting]}",
        SAYS[optimiser][1] + f": {WORDS[setting]}.",
        "Our second reading of the same claim",
        f"decades of rates at which the loss is at most {at.usable:g} times the best of all, with warm-up minus "
        "without",
        "none" if optimiser in ("radam", "sgd") else "positive",
        FACTOR,
    )
    kept = recorded()[setting][optimiser]
    return measure(claim, widened(kept["none"], kept["linear"], at))


def held_out(optimiser: str, setting: str) -> Result:
    """What the lower training loss is worth on digits that were held out."""
    claim = Claim(
        f"warm-up-errors-{optimiser}{PLACES[setting]}",
        f"What warm-up gains {NAMES[optimiser]} shows in held-out errors: {WORDS[setting]}.",
        LECTURE,
        "share of digits misread without warm-up minus that with a linear one, best rate each by the training loss",
        "positive",
        SHARE,
    )
    kept = recorded()[setting][optimiser]
    errors = [np.array(kept[way]["error"])[:, best(kept[way])] for way in BOTH]
    return measure(claim, list(errors[0] - errors[1]))


LIU = "Liu et al. (2020)"
SAYS = {  # of the loss, of the range of rates, and who says so
    "adam": ("Warm-up lowers the loss of Adam", "Warm-up widens the range of usable rates of Adam", LECTURE),
    "rmsprop": (
        "Warm-up lowers the loss of RMSProp",
        "Warm-up widens the range of usable rates of RMSProp",
        LECTURE,
    ),
    "radam": ("RAdam needs no warm-up", "RAdam has its range of usable rates without one", LIU),
    "sgd": (
        "Warm-up is not useful for plain SGD (with momentum)",
        "Warm-up does not widen the range of usable rates of plain SGD (with momentum)",
        LECTURE,
    ),
}

CLAIMS: dict[str, Callable[[], Result]] = {
    f"{stem}-{optimiser}{PLACES[setting]}": partial(function, optimiser, setting)
    for stem, function in (("warm-up", gain), ("warm-up-range", widening), ("warm-up-errors", held_out))
    for setting in SETTINGS
    for optimiser in SETTINGS[setting].rates
    if stem != "warm-up-errors" or (optimiser != "radam" and setting != "text")
}
