"""The runs of `warm_up`: what is learnt, at which rates, with which warm-ups; and what is read off their losses.

A run's loss is the mean training loss of its last epoch; all rates fall to zero along a cosine, so that what is left at
the end is not the noise of the last steps.

What was changed after a first record had been seen: plain SGD, the corrected RMSProp and the statistics came in; digits
got more seeds at batches of 32 and text more everywhere, since verdicts lay at the margin; RAdam's rates at batches of
256 and SGD's there and on text reach further, since usable ranges were cut off; rates at which nothing was learnt went.
The margins, the task, the networks and the lengths of runs and warm-ups are those of the first record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mlsys.experiments import perfect, together
from mlsys.experiments.parallel import parallel
from mlsys.experiments.tasks import Task, sentences, train
from mlsys.models.networks import transformer_model
from mlsys.optim import SGD, Adam, schedules
from mlsys.optim.rules import adam as adam_rule
from mlsys.optim.rules import sgd as sgd_rule
from mlsys.optim.schedules import Schedule

TUNING_SEEDS = tuple(range(101, 109))  # choose the best rates; no effect is measured on them
WORST = 2.0  # nats: the excess on text of a run that diverged
# Tried here alone: SGD without momentum, and RMSProp with Adam's correction.
MORE: dict[str, together.Make] = {
    "plain": lambda eta: sgd_rule.rule(sgd_rule.SGDHyper(eta)),  # type: ignore[arg-type]
    "corrected": lambda eta: adam_rule.rule(adam_rule.AdamHyper(eta, 0.0, 0.99, 1e-8)),  # type: ignore[arg-type]
}
together.MAKERS.update(MORE)


def adam(parameters: Any, rate: float) -> torch.optim.Optimizer:
    """Adam with its defaults."""
    return Adam(parameters, lr=rate)


def sgd(parameters: Any, rate: float) -> torch.optim.Optimizer:
    """SGD with momentum 0.9."""
    return SGD(parameters, lr=rate, momentum=0.9)


def grid(low: float, high: float, step: float = 0.5) -> tuple[float, ...]:
    """Powers of two from 2**low to 2**high, so many a step."""
    return tuple(2.0 ** np.arange(low, high + step / 2, step))


WARMUPS: dict[str, Callable[[int], list[Schedule]]] = {
    "none": lambda steps: [],
    "linear": lambda steps: [schedules.linear_warmup(max(1, steps // 5))],
    "short": lambda steps: [schedules.linear_warmup(max(1, steps // 20))],
    "exponential": lambda steps: [schedules.exponential_warmup(steps / 10)],
    "radam": lambda steps: [schedules.radam_warmup(0.999)],
}
BOTH = ("none", "linear")


def following(warmup: str) -> Callable[[int], Schedule]:
    """Steps of a run -> the warm-up of this name times a cosine down to zero."""
    return lambda steps: schedules.product(*WARMUPS[warmup](steps), schedules.cosine(steps))


@dataclass(frozen=True)
class Setting:
    """What is learnt, by which optimisers, with which warm-ups.

    batch, epochs : of a run;  rates : {optimiser: those tried};  spacing : of the rates, in decades
    usable : a rate is usable where the loss is at most so many times the best one
    tuning, seeds : of the seeds that choose rates and of those that are measured, how many
    others : {optimiser: the warm-ups it is tried with beside `BOTH`}, on the first `few` seeds
    """

    batch: int
    epochs: int
    rates: dict[str, tuple[float, ...]]
    spacing: float
    usable: float
    tuning: int
    seeds: int
    others: dict[str, tuple[str, ...]]
    few: int = 0

    def warmups(self, optimiser: str) -> tuple[str, ...]:
        """Those that it is tried with."""
        return BOTH + self.others.get(optimiser, ())

    def all_seeds(self, warmup: str) -> tuple[int, ...]:
        """Those that choose the rates, then those that are measured."""
        count = self.seeds if warmup in BOTH else self.few
        others = [seed for seed in range(1, 1 + count + len(TUNING_SEEDS)) if seed not in TUNING_SEEDS]
        return TUNING_SEEDS[: self.tuning] + tuple(others[:count])


SMALL = {
    "adam": grid(-6, -1),
    "rmsprop": grid(-8.5, -1.5),
    "corrected": grid(-7.5, -1),
    "radam": grid(-3.5, 0.5),
    "sgd": grid(-3.5, 0.5),
    "plain": grid(-2.5, 3),
}
LARGE = {
    "adam": grid(-7, 0),
    "rmsprop": grid(-9, -2.5),
    "corrected": grid(-7.5, -1),
    "radam": grid(-1, 5),
    "sgd": grid(-1.5, 3),
    "plain": grid(-2.5, 3.5),
}
TEXT = {"adam": grid(-10, -2, 1), "sgd": grid(-6, 1, 1)}
SIDE = {"adam": ("short", "exponential", "radam"), "rmsprop": ("short", "exponential")}
FINE, COARSE = np.log10(2) / 2, np.log10(2)
SETTINGS = {
    "digits, batch 32": Setting(32, 15, SMALL, FINE, 2.0, 8, 112, SIDE, 40),
    "digits, batch 256": Setting(256, 15, LARGE, FINE, 2.0, 8, 60, {}),
    "text": Setting(16, 6, TEXT, COARSE, 1.25, 4, 16, {}),
    "statistics": Setting(256, 15, dict.fromkeys(perfect.KINDS, grid(-7, 0.5)), FINE, 2.0, 8, 60, {}),
}


def transformer(seed: int) -> torch.nn.Module:
    """Two pre-norm blocks of width 32 over 57 words."""
    return transformer_model(57, width=32, context=32, seed=seed)


def cell(setting: str, optimiser: str, warmup: str) -> dict[str, list[list[float]]]:
    """{"tuning": losses, "loss", "error"}, a row a seed, a column a rate. Only digits have an error beside the loss."""
    at, schedule = SETTINGS[setting], following(warmup)
    seeds, run = at.all_seeds(warmup), (at.batch, at.epochs, schedule)
    if setting == "text":
        found = {"loss": np.array([_text(optimiser, warmup, seed) for seed in seeds])}
    elif setting == "statistics":
        found = {"loss": perfect.train(optimiser, at.rates[optimiser], seeds, *run)}
    else:
        curves = together.train(optimiser, at.rates[optimiser], seeds, *run)
        found = {"loss": curves.loss[..., -1], "error": curves.error[..., -1]}
    rows = {"tuning": found["loss"][: at.tuning]} | {
        name: values[at.tuning :] for name, values in found.items()
    }
    return {name: together.columns(values) for name, values in rows.items()}


def _text(optimiser: str, warmup: str, seed: int) -> list[float]:
    """Held-out nats above the entropy of the generated language, a rate each."""
    at, make = SETTINGS["text"], {"adam": adam, "sgd": sgd}[optimiser]
    task = Task("text-transformer", sentences, transformer, at.batch, at.epochs, metric="nats", worst=WORST)
    curves = [
        train(task, seed, lambda ps, r=rate: make(ps, r), schedule=following(warmup))  # type: ignore[misc]
        for rate in at.rates[optimiser]
    ]
    return [float(curve.error[-1]) for curve in curves]


def run(settings: Sequence[str] = tuple(SETTINGS)) -> dict[str, Any]:
    """{setting: {optimiser: {warm-up: what `cell` says}}}."""
    cells = [
        (setting, optimiser, warmup)
        for setting in sorted(
            settings, key="text".__ne__
        )  # the longest first, so that no core waits at the end
        for optimiser in SETTINGS[setting].rates
        for warmup in SETTINGS[setting].warmups(optimiser)
    ]
    result: dict[str, Any] = {}
    for (setting, optimiser, warmup), rows in zip(cells, parallel(cell, cells), strict=True):
        result.setdefault(setting, {}).setdefault(optimiser, {})[warmup] = rows
    return result


def best(kept: dict[str, Any]) -> int:
    """The number of the rate whose mean log loss on the tuning seeds is smallest.

    Raises ValueError if it is the first or the last: a better one may lie beyond.
    """
    found = np.mean(np.log(kept["tuning"]), axis=0)
    chosen = int(found.argmin())
    if chosen in (0, len(found) - 1):
        raise ValueError(f"rates must reach beyond the best one; got number {chosen} of {len(found)}.")
    return chosen


def tuned(kept: dict[str, Any], column: str = "loss") -> np.ndarray:
    """What a seed has at the rate that the tuning seeds chose: (seeds,)."""
    return np.array(kept[column])[:, best(kept)]


def log_gains(above: dict[str, Any], below: dict[str, Any]) -> np.ndarray:
    """log10 of the first one's loss over the second one's, a seed each that both have, both at their best rates."""
    first, second = tuned(above), tuned(below)
    n = min(len(first), len(second))
    return np.log10(first[:n] / second[:n])


def levels(
    without: dict[str, Any], warm: dict[str, Any], usable: float, own: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Up to which loss a rate is usable, without warm-up and with: (seeds,) each.

    `usable` times the best loss of the seed: of its own curve, or of the better of the two
    """
    off, on = (usable * np.array(kept["loss"]).min(axis=1) for kept in (without, warm))
    return (off, on) if own else (np.minimum(off, on),) * 2


def decades(losses: np.ndarray, level: float, spacing: float) -> float:
    """How wide the rates are, in decades, at which the loss is at most `level`.

    losses : (rates,), at rates of a spacing of so many decades, between which log loss is a straight line
    """
    z = np.log10(losses / level)
    left, right = z[:-1], z[1:]
    low, high = np.minimum(left, right), np.maximum(left, right)
    inside = np.where(high <= 0, 1.0, np.where(low >= 0, 0.0, -low / np.maximum(high - low, 1e-300)))
    return float(spacing * inside.sum())


def widened(without: dict[str, Any], warm: dict[str, Any], at: Setting, own: bool) -> list[float]:
    """Decades of usable rates with warm-up minus those without, a seed each; own : as in `levels`."""
    widths = [
        [decades(row, level, at.spacing) for row, level in zip(np.array(kept["loss"]), limits, strict=True)]
        for kept, limits in zip((without, warm), levels(without, warm, at.usable, own), strict=True)
    ]
    return [on - off for off, on in zip(*widths, strict=True)]
