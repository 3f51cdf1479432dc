"""The lecture's claims on weight decay, read from the record `weight_decay`.

"Adam wants more regularisation than SGD" is measured as what one can act on: is the number to pass larger; is more
gained from the best decay than without any; is something lost by who keeps the number of SGD when switching? The share
of a weight that is taken away a step would not do: it is the rate times that number, and over wide ranges of the rate,
each with its own share, the best errors are alike. "Decoupled" means that the best decay stays where it is when the
rate is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from mlsys.experiments.runs import SHARE
from mlsys.experiments.weight_decay import GRIDS, TOLERANCE
from mlsys.report import Claim, Result, measure, record

FASTAI = "The lecture on the history of Adam; Gugger & Howard (2018)"
PAPER = "The lecture on the history of Adam; Loshchilov & Hutter (2019)"
TWICE = 0.3  # the margin of a decay, a log10: decays are tuned by factors of two or more
STRAIGHT = (
    0.5  # that of decades of decay a decade of rate: nearer to 0, it stays, than to 1, the product stays
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


def judged(network: str, method: str, choice: str) -> np.ndarray:
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


def best_decays(network: str, method: str) -> np.ndarray:
    """log10 of the best decay, over all rates at which decay matters, a seed each."""
    decays = np.log10(GRIDS[network][method].decays)
    tried = grid_of(network, method)[:, rows(network, method), 1:]
    return np.array([centre(errors, np.broadcast_to(decays, errors.shape)) for errors in tried])


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
    return measure(claim, list(best_decays(network, "adamw") - best_decays(network, "sgd")))


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
    gains = [judged(network, m, "none") - judged(network, m, "joint") for m in ("adamw", "sgd")]
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
    effects = judged(network, "adamw", "carried") - judged(network, "adamw", "joint")
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
    effects = judged(network, "adam-l2", "joint") - judged(network, "adamw", "joint")
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
    costs = [judged(network, m, "separate") - judged(network, m, "joint") for m in ("adam-l2", "adamw")]
    return measure(claim, list(costs[0] - costs[1]))


def _claims() -> dict[str, Callable[[], Result]]:
    found: dict[str, Callable[[], Result]] = {}
    for network in GRIDS:
        named: dict[str, Callable[[str], Result]] = {
            "decay-number": decay_number,
            "decay-gain": decay_gain,
            "decay-carried": decay_carried,
            **{f"decoupled-{form}": partial(decoupled, form) for form in FORMS},
            "adamw-better": decoupled_better,
            "tuned-separately": separately,
        }
        found |= {f"{name}-{network}": partial(function, network) for name, function in named.items()}
    return found


CLAIMS = _claims()
