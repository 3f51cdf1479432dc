"""SGD with momentum, AdamW and AMSGrad tuned alike on four tasks, and Adam as it comes. Makes the record `studies`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import joblib
import torch

from mlsys.experiments.protocol import FRESH, STUDIES, TRIALS, Method, refused, studies
from mlsys.experiments.tasks import TASKS
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


GAP = Range(0.03, 0.3, ends="neither")  # momentum from 0.7 to 0.97, where it is usually taken from
ADAM_SPACE = {"lr": Range(1e-3, 0.3), "gap": GAP, "decay": Range(3e-3, 3, ends="high")}
METHODS = {
    "sgd": Method(sgd, {"lr": Range(0.03, 10), "gap": GAP, "decay": Range(1e-5, 1e-2, ends="high")}),
    "adamw": Method(adamw, ADAM_SPACE),
    "amsgrad": Method(amsgrad, ADAM_SPACE),
    "adam, default": Method(Adam),
}


def measured(
    seeds: Sequence[int] = STUDIES, tasks: Sequence[str] = tuple(TASKS), trials: int = TRIALS
) -> dict[str, Any]:
    """{"budget", "seconds", "processes", "studies": {task: {method: a study a seed}}}.

    Raises ValueError if a range was too narrow, so that its best value may lie beyond it.
    """
    began = time.perf_counter()
    found = studies({name: TASKS[name] for name in tasks}, METHODS, seeds, trials, schedule=cosine)
    narrow = refused(found)
    if narrow:
        raise ValueError(f"ranges must reach beyond the best; got bests at an end: {'; '.join(narrow)}.")
    return {
        "budget": {"trials": trials, "fresh": FRESH, "seeds": list(seeds)},
        "seconds": round(time.perf_counter() - began),
        "processes": joblib.cpu_count(),
        "studies": found,
    }
