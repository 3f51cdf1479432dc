"""The lecture's claims on weight decay, read from the record `weight_decay`.

"Adam wants more regularisation than SGD" can mean four things that are measured apart: a larger number to type in; a
larger share of the weights taken away a step; a larger gain from the best decay over none; and a loss for who keeps the
number of SGD when switching. "Decoupled" means that the best decay stays where it is when the rate is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from mlsys.experiments.runs import SHARE
from mlsys.experiments.weight_decay import GRIDS, MOMENTUM, TOLERANCE
from mlsys.report import Claim, Result, measure, record

FASTAI = "The lecture on the history of Adam; Gugger & Howard (2018)"
PAPER = "The lecture on the history of Adam; Loshchilov & Hutter (2019)"
TWICE = 0.3  # the margin of a decay, a log10: decays are tuned by factors of two or more
STRAIGHT = (
    0.25  # that of decades of decay a decade of rate: over ten times the rate, less than a factor of two
)
WORDS = {
    "plain": "digits with wrong labels, one hidden layer",
    "normed": "digits with wrong labels, a conv net with batch norm",
}


def grid_of(network: str, method: str) -> np.ndarray:
    """The valid errors (seeds, rates, 1 + decays), the first column without decay."""
    return np.array(record.load("weight_decay")["result"][network][method]["grid"])


def chosen(network: str, method: str, choice: str) -> dict[str, Any]:
    """A choice trained anew: its rate, decay, and errors."""
    return record.load("weight_decay")["result"][network][method]["chosen"][choice]


def test_errors(network: str, method: str, choice: str) -> np.ndarray:
    """Its test errors, a fresh seed each."""
    return np.array(chosen(network, method, choice)["errors"])


def centre(errors: np.ndarray, values: np.ndarray) -> float:
    """Where the error is lowest: the mean of the values, each weighed by exp(-(error - lowest) / TOLERANCE).

    Cells that are as good as the best weigh alike, so that the luck of one of them does not decide.
    """
    weights = np.exp(-(errors - errors.min()) / TOLERANCE)
    return float((weights * values).sum() / weights.sum())


def rows(network: str, method: str) -> np.ndarray:
    """The rates at which decay matters: the best decay's mean error is lower than none's by more than TOLERANCE."""
    mean = grid_of(network, method).mean(axis=0)
    return np.flatnonzero(mean[:, 0] - mean[:, 1:].min(axis=1) > TOLERANCE)


def slopes(network: str, method: str) -> list[float]:
    """Decades by which the best decay moves when the rate is ten times as large, a seed each."""
    grid, kept = GRIDS[network][method], rows(network, method)
    rates, decays = np.log10(grid.rates)[kept], np.log10(grid.decays)
    return [
        float(np.polyfit(rates, [centre(errors[i, 1:], decays) for i in kept], 1)[0])
        for errors in grid_of(network, method)
    ]


def best_decays(network: str, method: str, effective: bool) -> np.ndarray:
    """log10 of the best decay over all rates, a seed each: the number to type in, or what is taken away a step."""
    grid = GRIDS[network][method]
    values = np.log10(grid.decays)[None] + np.zeros((len(grid.rates), 1))
    if effective:
        values = values + np.log10(grid.rates)[:, None] - (np.log10(1 - MOMENTUM) if method == "sgd" else 0)
    return np.array([centre(errors[:, 1:], values) for errors in grid_of(network, method)])


def decay_number(network: str) -> Result:
    """The weight decay that one passes."""
    claim = Claim(
        f"decay-number-{network}",
        f"Adam wants more weight decay than SGD, as a number to pass: {WORDS[network]}.",
        FASTAI,
        "log10 of AdamW's best weight_decay over SGD's, both as torch takes them",
        "positive",
        TWICE,
        reported="set a higher weight decay when switching from SGD",
        bootstrap=True,
    )
    return measure(claim, list(best_decays(network, "adamw", False) - best_decays(network, "sgd", False)))


def decay_strength(network: str) -> Result:
    """What that number does to a weight in a step."""
    claim = Claim(
        f"decay-strength-{network}",
        f"Adam wants stronger weight decay than SGD, as the share of a weight taken away a step: {WORDS[network]}.",
        "Our reading of the claim above",
        "log10 of the best share a step, AdamW's (rate times decay) over SGD's (the same over 1 - momentum)",
        "positive",
        TWICE,
        bootstrap=True,
    )
    return measure(claim, list(best_decays(network, "adamw", True) - best_decays(network, "sgd", True)))


def decay_gain(network: str) -> Result:
    """What the best decay is worth."""
    claim = Claim(
        f"decay-gain-{network}",
        f"Adam needs weight decay more than SGD does, and gains more from it: {WORDS[network]}.",
        "Our reading of the claim above",
        "share misread without decay minus that with the best, rates tuned for each: AdamW's minus SGD's",
        "positive",
        SHARE,
        bootstrap=True,
    )
    gains = [test_errors(network, m, "none") - test_errors(network, m, "joint") for m in ("adamw", "sgd")]
    return measure(claim, list(gains[0] - gains[1]))


def decay_carried(network: str) -> Result:
    """Whether one has to tune it again."""
    claim = Claim(
        f"decay-carried-{network}",
        f"Retune weight decay when you switch, since at SGD's best number AdamW does worse: {WORDS[network]}.",
        FASTAI,
        "share misread by AdamW with SGD's best weight_decay minus that with its own, rates tuned for each",
        "positive",
        SHARE,
        bootstrap=True,
    )
    effects = test_errors(network, "adamw", "carried") - test_errors(network, "adamw", "joint")
    return measure(claim, list(effects))


class Form(NamedTuple):
    """method : whose grid;  sign, added : effect = sign * (slope + added);  kind : of claim"""

    method: str
    sign: int
    added: int
    kind: Literal["positive", "none"]
    statement: str
    reported: str


FORMS = {
    "l2": Form(
        "adam-l2",
        -1,
        0,
        "positive",
        "With L2 in Adam the best decay depends on the rate",
        "a diagonal valley",
    ),
    "sgd": Form(
        "sgd", -1, 0, "positive", "With L2 in SGD the best decay depends on the rate", "a diagonal valley"
    ),
    "paper": Form(
        "adamw",
        1,
        1,
        "none",
        "AdamW's best decay, as the share of a weight taken away a step, stays where the rate moves",
        "a valley along the axes",
    ),
    "torch": Form(
        "adamw",
        1,
        0,
        "none",
        "AdamW's best decay, as the number that torch multiplies by the rate, stays",
        "",
    ),
}


def decoupled(form: str, network: str) -> Result:
    """How far the best decay moves when the rate does."""
    method, sign, added, kind, statement, reported = FORMS[form]
    claim = Claim(
        f"decoupled-{form}-{network}",
        f"{statement}: {WORDS[network]}.",
        PAPER if reported else "Our question: the library's form of the paper's claim",
        f"decades by which the best decay {'falls' if sign < 0 else 'rises'} where the rate is ten times as large",
        kind,
        STRAIGHT,
        reported=reported,
        bootstrap=True,
    )
    return measure(claim, [sign * (slope + added) for slope in slopes(network, method)])


def decoupled_better(network: str) -> Result:
    """AdamW against Adam with L2, each at its best."""
    claim = Claim(
        f"adamw-better-{network}",
        f"Decoupled decay generalises better than L2 in Adam: {WORDS[network]}.",
        PAPER,
        "share misread by Adam with L2 minus that by AdamW, each with its best rate and decay",
        "positive",
        SHARE,
        reported="15 % fewer test errors (CIFAR-10, ImageNet of 32 x 32)",
        bootstrap=True,
    )
    effects = test_errors(network, "adam-l2", "joint") - test_errors(network, "adamw", "joint")
    return measure(claim, list(effects))


def separately(network: str) -> Result:
    """What decoupling is for: to tune one after the other."""
    claim = Claim(
        f"tuned-separately-{network}",
        f"With AdamW rate and decay can be tuned one after the other, with L2 they cannot: {WORDS[network]}.",
        PAPER,
        "share misread when the rate is tuned first, without decay, and then the decay, minus that when both are tuned "
        "together: of Adam with L2, minus that of AdamW",
        "positive",
        SHARE,
        bootstrap=True,
    )
    costs = [
        test_errors(network, m, "separate") - test_errors(network, m, "joint") for m in ("adam-l2", "adamw")
    ]
    return measure(claim, list(costs[0] - costs[1]))


def _claims() -> dict[str, Callable[[], Result]]:
    found: dict[str, Callable[[], Result]] = {}
    for network in GRIDS:
        named: dict[str, Callable[[str], Result]] = {
            "decay-number": decay_number,
            "decay-strength": decay_strength,
            "decay-gain": decay_gain,
            "decay-carried": decay_carried,
            **{f"decoupled-{form}": partial(decoupled, form) for form in FORMS},
            "adamw-better": decoupled_better,
            "tuned-separately": separately,
        }
        found |= {f"{name}-{network}": partial(function, network) for name, function in named.items()}
    return found


CLAIMS = _claims()
