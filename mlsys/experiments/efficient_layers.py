"""Efficient layers beside a thinner dense net: accuracy against cost. `measured` makes the record `efficient_layers`.

Small convolutional classifiers of one shape, each of another kind of layer and at several widths, learn the generated
shapes. What a kind is worth is judged against dense layers of as many multiply-adds, or of as many parameters: those
of a dense net that was simply made thinner.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from mlsys.experiments.parallel import parallel
from mlsys.experiments.runs import SHARE, TUNING_SEEDS
from mlsys.inference.layers.study import Outcome, accuracy_against_cost
from mlsys.report import Claim, Result, measure, record

SEEDS = (1, 2, 3, 4, 5, 6, 7)
WIDTHS = {  # kind -> width multipliers; 1 is a first layer of 16 channels
    "dense": (0.125, 0.25, 0.375, 0.5, 0.75, 1.0),
    "separable": (0.5, 1.0, 1.5, 2.0),
    "shuffle": (1.0, 2.0),
    "circulant": (0.5, 1.0),
}
RATES = (0.003, 0.01, 0.03, 0.1)
TASK = "10 generated shapes of 16 x 16 pixels, 2,250 to learn from, 750 to judge by"


def run(kind: str, multiplier: float, seed: int, lr: float, **options: Any) -> Outcome:
    """One net, trained and judged; options of `accuracy_against_cost`."""
    (outcome,) = accuracy_against_cost(seed, [(kind, multiplier)], lr=lr, **options)
    return outcome


def tuning(kind: str, rates: Sequence[float] = RATES, **options: Any) -> dict[float, float]:
    """{rate: mean accuracy on two tuning seeds, whose images no measurement sees}, at multiplier 1."""
    calls = [(kind, 1.0, seed, rate) for rate in rates for seed in TUNING_SEEDS[:2]]
    found = [outcome.accuracy for outcome in parallel(partial(run, **options), calls)]
    means = np.reshape(found, (len(rates), -1)).mean(1)
    return dict(zip(rates, means.tolist(), strict=True))


def best(found: Mapping[float, float]) -> float:
    """The rate of the highest accuracy. Raises ValueError if it is the lowest or the highest of the rates."""
    rate = max(found, key=lambda each: found[each])
    if rate in (min(found), max(found)):
        raise ValueError(f"rates must reach beyond the best one; got {rate:g} of {tuple(found)}.")
    return rate


def measured(
    seeds: Sequence[int] = SEEDS,
    widths: Mapping[str, Sequence[float]] = WIDTHS,
    rates: Sequence[float] = RATES,
    **options: Any,
) -> dict[str, Any]:
    """{"tuning": {kind: {rate: accuracy}}, "nets": {kind: [a width each]}}, a width as {"multiplier", "rate",
    "multiply_adds": an image, "parameters": all that is learnt, "accuracy": [of held-out images, a seed each]}."""
    searched = {kind: tuning(kind, rates, **options) for kind in widths}
    chosen = {kind: best(found) for kind, found in searched.items()}
    calls = [
        (kind, multiplier, seed, chosen[kind])
        for kind, each in widths.items()
        for multiplier in each
        for seed in seeds
    ]
    done = iter(list(parallel(partial(run, **options), calls)))
    nets = {
        kind: [{"rate": chosen[kind], **_summary([next(done) for _ in seeds])} for _ in each]
        for kind, each in widths.items()
    }
    return {"tuning": searched, "nets": nets}


def _summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    first = outcomes[0]
    return {
        "multiplier": first.multiplier,
        "multiply_adds": first.multiply_adds,
        "parameters": first.parameters,
        "accuracy": [outcome.accuracy for outcome in outcomes],
    }


def recorded() -> dict[str, Any]:
    """What the record `efficient_layers` has."""
    return record.load("efficient_layers")["result"]


def net(kind: str, multiplier: float) -> dict[str, Any]:
    """The record's net of a kind and width."""
    return next(each for each in recorded()["nets"][kind] if each["multiplier"] == multiplier)


def at_cost(kind: str, cost: float, by: str = "multiply_adds") -> np.ndarray:
    """Accuracy of a kind at this cost, a seed each: on straight lines between its widths, over the cost's logarithm.

    by : "multiply_adds" or "parameters"
    Raises ValueError if the cost is outside of what its widths reach.
    """
    nets = recorded()["nets"][kind]
    costs = np.log([each[by] for each in nets])
    if not costs[0] <= np.log(cost) <= costs[-1]:
        raise ValueError(f"cost must be within {np.exp(costs[[0, -1]]).round()} of {kind}; got {cost:g}.")
    rows = np.array([each["accuracy"] for each in nets]).T
    return np.array([np.interp(np.log(cost), costs, row) for row in rows])


def keeps_accuracy(kind: str, source: str, reported: str) -> Result:
    """A kind of layer beside the dense one, at equal widths."""
    name = f"{kind[0].upper()}{kind[1:]}"
    claim = Claim(
        f"{kind}-accuracy",
        f"{name} layers of the same widths are as accurate as dense ones.",
        source,
        f"share of held-out images named rightly, {kind} minus dense layers, both 16 to 64 channels wide, {TASK}",
        "at least",
        SHARE,
        (-1.0, 1.0),
        reported=reported,
    )
    return measure(claim, list(np.subtract(net(kind, 1.0)["accuracy"], net("dense", 1.0)["accuracy"])))


def beats_thin(
    kind: str, multiplier: float, by: str = "multiply_adds", rival: str = "dense", name: str = ""
) -> Result:
    """A kind of layer beside another kind that was made thinner until it costs as much."""
    words = {"multiply_adds": "multiply-adds", "parameters": "parameters"}[by]
    channels = f"{16 * multiplier:g} to {64 * multiplier:g} channels"
    source = {"dense": "Our question: is it the layer, or would fewer channels have done?"}
    claim = Claim(
        name,
        f"{kind[0].upper()}{kind[1:]} layers of {channels} are more accurate than {rival} layers of fewer channels "
        f"with as many {words}.",
        source.get(rival, "Zhang et al. (2018)"),
        f"share of held-out images named rightly, {kind} minus {rival} layers of as many {words}, the latter between "
        f"two widths, {TASK}",
        "positive",
        SHARE,
        (-1.0, 1.0),
        reported=""
        if rival == "dense"
        else "7.8 points fewer errors on ImageNet at 40 million multiply-adds",
    )
    ours = net(kind, multiplier)
    return measure(claim, list(np.array(ours["accuracy"]) - at_cost(rival, ours[by], by)))


def _thin(name: str, kind: str, multiplier: float, **options: str) -> dict[str, Callable[[], Result]]:
    return {name: partial(beats_thin, kind, multiplier, name=name, **options)}


CLAIMS: dict[str, Callable[[], Result]] = {
    "separable-accuracy": partial(
        keeps_accuracy,
        "separable",
        "Howard et al. (2017)",
        "70.6 % on ImageNet against 71.7 %, with 8.6 times fewer multiply-adds",
    ),
    "circulant-accuracy": partial(
        keeps_accuracy, "circulant", "Ding et al. (2017)", "negligible loss of accuracy"
    ),
    **_thin("separable-against-thin", "separable", 1.0),
    **_thin("separable-against-thin-narrow", "separable", 0.5),
    **_thin("shuffle-against-thin", "shuffle", 2.0),
    **_thin("shuffle-against-thin-narrow", "shuffle", 1.0),
    **_thin("circulant-against-thin", "circulant", 1.0),
    **_thin("separable-against-thin-size", "separable", 1.0, by="parameters"),
    **_thin("shuffle-against-thin-size", "shuffle", 2.0, by="parameters"),
    **_thin("circulant-against-thin-size", "circulant", 1.0, by="parameters"),
    **_thin("shuffle-against-separable", "shuffle", 2.0, rival="separable"),
}
