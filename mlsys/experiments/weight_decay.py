"""Weight decay by rate, for SGD, AdamW and Adam with L2, on two networks. Makes the record `weight_decay`.

The task makes regularisation matter: 300 digits to learn from, a fifth of whose labels are wrong, for long enough that
both networks can learn the wrong ones too. Every cell of a grid of rates and decays is trained and judged on the valid
part; what the grid says is best is trained anew on fresh seeds, and judged on the test part.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import joblib
import numpy as np
import torch

from mlsys.experiments.parallel import parallel
from mlsys.experiments.tasks import TASKS, Task, digits, train
from mlsys.optim import SGD, Adam
from mlsys.optim.schedules import cosine

MOMENTUM = 0.9
SHARE_WRONG, EXAMPLES = 0.2, 300
few = partial(digits, n=EXAMPLES, noise=SHARE_WRONG)
NETWORKS: dict[str, Task] = {
    "plain": replace(TASKS["digits-mlp"], parts=few, batch=30, epochs=40),
    "normed": replace(TASKS["digits-conv"], parts=few, batch=30, epochs=25),
}
# Seeds below these were a pilot, on which the grids and the margins were set.
SEEDS = tuple(range(21, 33))  # of the grids
FRESH = tuple(range(201, 249))  # of what is judged; the first sixteen alone left three cards open
TOLERANCE = 0.01  # of the error: cells that differ by no more are alike


def sgd(parameters: Any, rate: float, decay: float) -> torch.optim.Optimizer:
    """SGD with momentum and L2, which shrinks a weight by rate * decay / (1 - momentum) a step."""
    return SGD(parameters, lr=rate, momentum=MOMENTUM, weight_decay=decay)


def adamw(parameters: Any, rate: float, decay: float) -> torch.optim.Optimizer:
    """AdamW as torch has it: a weight shrinks by rate * decay a step."""
    return Adam(parameters, lr=rate, weight_decay=decay, decoupled_weight_decay=True)


def adam_l2(parameters: Any, rate: float, decay: float) -> torch.optim.Optimizer:
    """Adam with L2: decay * w is added to the gradient."""
    return Adam(parameters, lr=rate, weight_decay=decay)


def powers(low: float, high: float, step: float = 0.5) -> tuple[float, ...]:
    """Powers of ten, two a decade unless told otherwise."""
    return tuple(float(10**e) for e in np.arange(low, high + 0.1, step))


class Grid(NamedTuple):
    """make : (parameters, rate, decay) -> optimizer;  rates, decays : what is tried; no decay is tried besides."""

    make: Callable[..., torch.optim.Optimizer]
    rates: tuple[float, ...]
    decays: tuple[float, ...]


GRIDS: dict[str, dict[str, Grid]] = {
    "plain": {
        "sgd": Grid(
            sgd, powers(-1.5, -0.25, 0.25), powers(-4, -1)
        ),  # faster it diverges, slower no decay is needed
        "adamw": Grid(adamw, powers(-2.5, -0.5), powers(-2, 1)),
        "adam-l2": Grid(adam_l2, powers(-2.5, -0.5), powers(-4, -1)),
    },
    "normed": {
        "sgd": Grid(sgd, powers(-1.5, 0), powers(-3.5, -0.5)),
        "adamw": Grid(adamw, powers(-2.5, -0.5), powers(-2, 1)),
        "adam-l2": Grid(adam_l2, powers(-2.5, -0.5), powers(-3.5, -0.5)),
    },
}


def held_out(network: str, method: str, rate: float, decay: float, seed: int, part: Any) -> float:
    """The share of a part misread at the end."""
    make = GRIDS[network][method].make
    curve = train(NETWORKS[network], seed, lambda p: make(p, rate=rate, decay=decay), part, schedule=cosine)
    return round(float(curve.error[-1]), 5)


def row(network: str, method: str, rate: float, seed: int) -> list[float]:
    """The valid error of a rate without decay, and with each of the decays."""
    decays = (0.0, *GRIDS[network][method].decays)
    return [held_out(network, method, rate, decay, seed, "valid") for decay in decays]


def best(errors: np.ndarray, grid: Grid) -> dict[str, tuple[float, float]]:
    """What (rates, 1 + decays) mean errors say is best: {choice: (rate, decay)}.

    joint : of all;  none : of those without decay;  separate : the decay that is best at the rate of "none", as one
    tunes who tunes the rate first
    """
    decays = (0.0, *grid.decays)
    i, j = np.unravel_index(int(np.argmin(errors)), errors.shape)
    rate = int(np.argmin(errors[:, 0]))
    return {
        "joint": (grid.rates[i], decays[j]),
        "none": (grid.rates[rate], 0.0),
        "separate": (grid.rates[rate], decays[int(np.argmin(errors[rate]))]),
    }


def choices(grids: Mapping[str, np.ndarray], network: str) -> dict[str, dict[str, tuple[float, float]]]:
    """What is trained anew: the best of each method; and AdamW at the decay that is SGD's best, "carried".

    Its rate then is the best for the nearest decay of AdamW's own grid.
    """
    chosen = {name: best(errors.mean(axis=0), GRIDS[network][name]) for name, errors in grids.items()}
    grid, number = GRIDS[network]["adamw"], chosen["sgd"]["joint"][1]
    distances = [abs(np.log10(decay / number)) if number else decay for decay in grid.decays]
    column = 1 + int(np.argmin(distances))
    rate = grid.rates[int(np.argmin(grids["adamw"].mean(axis=0)[:, column]))]
    chosen["adamw"]["carried"] = (rate, number)
    return chosen


def measured(
    seeds: Sequence[int] = SEEDS,
    fresh: Sequence[int] = FRESH,
    told: Callable[[str], Any] = print,
) -> dict[str, Any]:
    """{"seconds", "processes", network: {method: {"grid": (seeds, rates, 1 + decays) valid errors, "chosen":
    {choice: {"rate", "decay", "errors": a fresh seed each}}}}}.

    told : is told of each network when it is done
    """
    began = time.perf_counter()
    result: dict[str, Any] = {"processes": joblib.cpu_count()}
    for network, grids in GRIDS.items():
        every = [
            (network, name, rate, seed)
            for name, grid in grids.items()
            for seed in seeds
            for rate in grid.rates
        ]
        found = iter(parallel(row, every))
        errors = {
            name: np.array([[next(found) for _ in grid.rates] for _ in seeds]) for name, grid in grids.items()
        }
        chosen = choices(errors, network)
        cells = [
            (network, name, *cell, s, "test")
            for name in chosen
            for cell in chosen[name].values()
            for s in fresh
        ]
        again = iter(parallel(held_out, cells))
        result[network] = {
            name: {
                "grid": errors[name].tolist(),
                "chosen": {
                    choice: {"rate": rate, "decay": decay, "errors": [next(again) for _ in fresh]}
                    for choice, (rate, decay) in chosen[name].items()
                },
            }
            for name in chosen
        }
        told(f"{network}: {time.perf_counter() - began:.0f} s")
    return result | {"seconds": round(time.perf_counter() - began)}
