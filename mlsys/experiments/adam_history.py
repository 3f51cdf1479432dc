"""The lecture's claims on Adam against SGD, on AMSGrad and on tuning, read from the record `studies`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from mlsys.experiments.protocol import epochs_to, final
from mlsys.experiments.runs import SHARE
from mlsys.report import Claim, Result, measure, record

FASTAI = "The lecture on the history of Adam; Gugger & Howard (2018)"
WILSON = "The lecture on the history of Adam, on Wilson et al. (2017)"
NATS = 0.05  # the margin of text: five per cent of the perplexity, a tenth of what is left above the entropy
FEWER = 0.02  # the margin of epochs, a log10: one epoch in twenty, since the claim is of a bit
IMAGES = ("digits-mlp", "digits-conv", "shapes-conv")
WORDS = {
    "digits-mlp": "digits, one hidden layer",
    "digits-conv": "digits, a small conv net",
    "shapes-conv": "generated shapes, a small conv net",
    "text-lstm": "generated text, a small LSTM",
    "images": "mean of the three image tasks",
}
NAMES = ("images", *IMAGES, "text-lstm")
Studies = dict[str, dict[str, list[dict[str, Any]]]]


def recorded() -> dict[str, Any]:
    """The record, or that of a real set where one is being measured."""
    return record.load("studies")["result"]


def unit(task: str) -> tuple[str, float]:
    """(what is judged, the margin)."""
    return ("nats a token above the entropy", NATS) if task == "text-lstm" else ("share misread", SHARE)


def over_tasks(effect: Callable[[str], np.ndarray], task: str) -> list[float]:
    """The effect of a task, or its mean over the image tasks, a study each."""
    return list(np.mean([effect(each) for each in (IMAGES if task == "images" else (task,))], axis=0))


def errors(studies: Studies, task: str, method: str) -> np.ndarray:
    """The error at the end, a study each."""
    return final(studies[task][method])


def target(studies: Studies, task: str) -> float:
    """The error to be reached: where tuned SGD ends on average, plus the margin."""
    return float(errors(studies, task, "sgd").mean()) + unit(task)[1]


def log_epochs(studies: Studies, task: str, method: str) -> np.ndarray:
    """log10 of the epochs to the target, the mean of a study's fresh runs."""
    goal = target(studies, task)
    return np.array(
        [np.mean([np.log10(epochs_to(goal, run)) for run in each["error"]]) for each in studies[task][method]]
    )


def budget(result: dict[str, Any]) -> str:
    """What each method was given, in words."""
    return f"rate, momentum and weight decay by {result['trials']} random trials each"


def adam_accuracy(task: str, result: dict[str, Any] | None = None) -> Result:
    """Tuned AdamW against tuned SGD with momentum, by what they end at."""
    result = result or recorded()
    what, margin = unit(task)
    claim = Claim(
        f"adam-accuracy-{task}",
        f"Properly tuned, AdamW reaches what SGD with momentum does: {WORDS.get(task, task)}.",
        FASTAI,
        f"{what}, of tuned SGD minus that of tuned AdamW; {budget(result)}",
        "at least",
        margin,
        reported="the same accuracy in every CNN image problem tried",
        bootstrap=True,
    )
    s = result["studies"]
    return measure(claim, over_tasks(lambda t: errors(s, t, "sgd") - errors(s, t, "adamw"), task))


def adam_epochs(task: str, result: dict[str, Any] | None = None) -> Result:
    """The same by the epochs that they need."""
    result = result or recorded()
    claim = Claim(
        f"adam-epochs-{task}",
        f"And it gets there in fewer epochs: {WORDS.get(task, task)}.",
        FASTAI,
        "log10 of tuned SGD's epochs over tuned AdamW's until the error stays within the margin of where SGD ends on "
        "average; a run that never does counts as long as it is",
        "positive",
        FEWER,
        reported="nearly always a bit faster",
        bootstrap=True,
    )
    s = result["studies"]
    return measure(claim, over_tasks(lambda t: log_epochs(s, t, "sgd") - log_epochs(s, t, "adamw"), task))


def amsgrad_gain(task: str, result: dict[str, Any] | None = None) -> Result:
    """Tuned AMSGrad against tuned AdamW, the same points tried."""
    result = result or recorded()
    what, margin = unit(task)
    claim = Claim(
        f"amsgrad-{task}",
        f"AMSGrad gains nothing over AdamW: {WORDS.get(task, task)}.",
        FASTAI,
        f"{what}, of tuned AdamW minus that of tuned AMSGrad with decoupled decay; {budget(result)}, the same points",
        "none",
        margin,
        reported="no help in any experiment, with a loss sometimes a little lower",
        bootstrap=True,
    )
    s = result["studies"]
    return measure(claim, over_tasks(lambda t: errors(s, t, "adamw") - errors(s, t, "amsgrad"), task))


def default_gap(task: str, result: dict[str, Any] | None = None) -> Result:
    """Adam as it comes against tuned SGD: is there a gap to explain?"""
    result = result or recorded()
    what, margin = unit(task)
    claim = Claim(
        f"adam-default-{task}",
        f"Adam with its default settings does worse than tuned SGD with momentum: {WORDS.get(task, task)}.",
        WILSON,
        f"{what}, of Adam at the rate 0.001 without decay minus that of tuned SGD",
        "positive",
        margin,
        reported="worse test errors than SGD's on four tasks, its rate tuned too",
        bootstrap=True,
    )
    s = result["studies"]
    return measure(claim, over_tasks(lambda t: errors(s, t, "adam, default") - errors(s, t, "sgd"), task))


def tuning_share(task: str, result: dict[str, Any] | None = None) -> Result:
    """How much of that gap goes when Adam is tuned."""
    result = result or recorded()
    what, margin = unit(task)
    claim = Claim(
        f"adam-tuning-{task}",
        f"Most of that gap is badly chosen settings: {WORDS.get(task, task)}.",
        FASTAI,
        f"{what}: what tuning takes from default Adam's, minus half of its gap to tuned SGD",
        "positive",
        margin,
        reported="poor results come mostly from badly chosen hyper-parameters",
        bootstrap=True,
    )
    s = result["studies"]

    def effect(t: str) -> np.ndarray:
        default = errors(s, t, "adam, default")
        return default - errors(s, t, "adamw") - 0.5 * (default - errors(s, t, "sgd"))

    return measure(claim, over_tasks(effect, task))


def _every(
    functions: Sequence[Callable[..., Result]], tasks: Sequence[str]
) -> dict[str, Callable[[], Result]]:
    prefixes = {
        adam_accuracy: "adam-accuracy",
        adam_epochs: "adam-epochs",
        amsgrad_gain: "amsgrad",
        default_gap: "adam-default",
        tuning_share: "adam-tuning",
    }
    return {
        f"{prefixes[function]}-{task}": partial(function, task) for function in functions for task in tasks
    }


CLAIMS: dict[str, Callable[[], Result]] = {
    **_every((adam_accuracy, amsgrad_gain), NAMES),
    **_every((adam_epochs, default_gap, tuning_share), ("images", "text-lstm")),
}
