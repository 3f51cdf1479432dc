"""SGD with momentum, AdamW and AMSGrad tuned alike on four tasks, and Adam as it comes. Makes the record `studies`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import joblib
import torch

from mlsys.experiments.protocol import FRESH, STUDIES, TRIALS, Method, refused, studies
from mlsys.experiments.tasks import TASKS, Task
from mlsys.optim import SGD, Adam
from mlsys.optim.schedules import cosine
from mlsys.optim.search import Range


def sgd(parameters: Any, lr: float, gap: float, decay: float) -> torch.optim.Optimizer:
    """SGD with momentum 1 - gap, and L2, which is its weight decay."""
    return SGD(parameters, lr=lr, momentum=1 - gap, weight_decay=decay)


def adamw(
    parameters: Any, lr: float, gap: float, decay: float, amsgrad: bool = False
) -> torch.optim.Optimizer:
    """Adam with beta1 = 1 - gap, and decoupled weight decay."""
    return Adam(
        parameters,
        lr=lr,
        betas=(1 - gap, 0.999),
        weight_decay=decay,
        decoupled_weight_decay=True,
        amsgrad=amsgrad,
    )


def amsgrad(parameters: Any, lr: float, gap: float, decay: float) -> torch.optim.Optimizer:
    """The same with AMSGrad's maximum."""
    return adamw(parameters, lr, gap, decay, amsgrad=True)


GAP = Range(0.05, 0.2, ends="neither")  # momentum from 0.8 to 0.95, where it is usually taken from


def methods(scale: float = 1.0) -> dict[str, Method]:
    """What is compared: all rates from ranges as wide, times a scale."""

    def space(low: float, high: float, decays: tuple[float, float]) -> dict[str, Range]:
        return {"lr": Range(scale * low, scale * high), "gap": GAP, "decay": Range(*decays, ends="high")}

    adams = space(0.01, 0.6, (3e-3, 3))
    return {
        "sgd": Method(sgd, space(0.1, 6, (1e-5, 1e-2))),
        "adamw": Method(adamw, adams),
        "amsgrad": Method(amsgrad, adams),
        "adam, default": Method(Adam),
    }


METHODS = methods()
ON_TEXT = methods(
    4.0
)  # an LSTM's first steps are small; at the rates of images the best lay at the end of the range


def of(task: Task) -> dict[str, Method]:
    """The methods, with the ranges for this task."""
    return ON_TEXT if task.metric == "nats" else METHODS


def measured(
    seeds: Sequence[int] = STUDIES,
    tasks: Mapping[str, Task] = TASKS,
    trials: int = TRIALS,
    told: Callable[[str], Any] = print,
) -> dict[str, Any]:
    """{"trials", "fresh", "seconds", "processes", "refused", "studies": {task: {method: a study a seed}}}.

    told : is told of each study when it is done
    """
    began = time.perf_counter()
    found = {
        name: studies({name: task}, of(task), seeds, trials, told, schedule=cosine)[name]
        for name, task in tasks.items()
    }
    return {
        "trials": trials,
        "fresh": FRESH,
        "seconds": round(time.perf_counter() - began),
        "processes": joblib.cpu_count(),
        "refused": refused(found),
        "studies": found,
    }
