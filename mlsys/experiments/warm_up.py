"""Warm-up on and off, over rates and batch sizes: the claims; `measured` makes the record `warm_up`.

Three questions that are often taken for one. Is the loss lower with a warm-up, each at its own best rate? Is the range
of rates wider at which it is near the best that either reaches? And is it wider relative to what each reaches itself?
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from mlsys.experiments import warm_runs
from mlsys.experiments.runs import FACTOR, SHARE
from mlsys.experiments.warm_runs import BOTH, SETTINGS, log_gains, tuned, widened
from mlsys.report import Claim, Result, measure, record

LECTURE, LIU = "The lecture on warm-up", "Liu et al. (2020)"
DIGITS = ("digits, batch 32", "digits, batch 256")
WORDS = {
    "digits, batch 32": "digits, network of one hidden layer, batches of 32",
    "digits, batch 256": "digits, network of one hidden layer, batches of 256, as many epochs",
    "text": "generated text, transformer of two blocks, batches of 16",
}
NAMES = {
    "adam": "Adam",
    "rmsprop": "RMSProp",
    "corrected": "RMSProp with Adam's correction",
    "radam": "RAdam",
    "sgd": "SGD with momentum 0.9",
    "plain": "plain SGD",
}
PLACES = {"digits, batch 32": "", "digits, batch 256": "-256", "text": "-text"}
HELPED = ("adam", "rmsprop")  # the lecture: warm-up helps these; a claim on any other is that it does not
SOURCES = {
    "adam": LECTURE,
    "rmsprop": LECTURE,
    "corrected": "Our explanation of what warm-up does for RMSProp",
    "radam": f"{LIU}, as we read it: RAdam does by itself what a warm-up does",
    "sgd": f"{LECTURE}, where it says so of plain SGD",
    "plain": LECTURE,
}


def measured() -> dict[str, Any]:
    """{setting: {optimiser: {warm-up: what `warm_runs.cell` says}}}."""
    return warm_runs.run()


def recorded() -> dict[str, Any]:
    """What the record `warm_up` has."""
    return record.load("warm_up")["result"]


def sign(optimiser: str) -> int:
    """Of an effect: where the claim is that warm-up is of no use, what is measured is how far one does without it."""
    return 1 if optimiser in HELPED else -1


def _kind(optimiser: str) -> Any:
    return "positive" if optimiser in HELPED else "at least"


def gain(optimiser: str, setting: str) -> Result:
    """The loss without warm-up over that with it, each at its best rate; the inverse if it is said to be of no use."""
    kept, helped = recorded()[setting][optimiser], optimiser in HELPED
    what = "excess over the entropy, held out," if setting == "text" else "training loss"
    order = "without warm-up over that with" if helped else "with warm-up over that without"
    says = f"Warm-up lowers the loss of {NAMES[optimiser]}"
    if not helped:
        says = f"{NAMES[optimiser][0].upper()}{NAMES[optimiser][1:]} trains as well without a warm-up"
    claim = Claim(
        f"warm-up-{optimiser}{PLACES[setting]}",
        f"{says}, each at its best rate: {WORDS[setting]}.",
        SOURCES[optimiser],
        f"log10 of the {what} {order}; the warm-up is linear, over a fifth of the steps",
        _kind(optimiser),
        FACTOR,
    )
    return measure(claim, list(sign(optimiser) * log_gains(kept["none"], kept["linear"])))


def widening(optimiser: str, setting: str, own: bool) -> Result:
    """How much wider the range of usable rates is with warm-up; how much narrower if it is said to be of no use."""
    at, kept, helped = SETTINGS[setting], recorded()[setting][optimiser], optimiser in HELPED
    factor = "twice" if at.usable == 2 else f"{at.usable:g} times"
    whose = "its own best loss" if own else "the best loss of both"
    order = "with warm-up minus without" if helped else "without warm-up minus with"
    claim = Claim(
        f"warm-up{'-own' * own}-range-{optimiser}{PLACES[setting]}",
        f"Warm-up {'widens' if helped else 'does not widen'} the range of rates at which {NAMES[optimiser]} is "
        f"within {factor} {whose}: {WORDS[setting]}.",
        f"Our {'third' if own else 'second'} reading of the same claim",
        f"decades of rates at which the loss is at most {factor} {whose}, {order}",
        _kind(optimiser),
        FACTOR,
    )
    found = widened(kept["none"], kept["linear"], at, own)
    return measure(claim, [sign(optimiser) * width for width in found])


def held_out(optimiser: str, setting: str) -> Result:
    """What warm-up is worth on digits that were held out."""
    kept = recorded()[setting][optimiser]
    claim = Claim(
        f"warm-up-errors-{optimiser}{PLACES[setting]}",
        f"With warm-up {NAMES[optimiser]} misreads fewer held-out digits: {WORDS[setting]}.",
        "Our question: is what is gained in training worth something?",
        "share of digits misread without warm-up minus that with a linear one, best rate each by the training loss",
        "positive",
        SHARE,
    )
    without, warm = (tuned(kept[way], "error") for way in BOTH)
    return measure(claim, list(without - warm))


def radam_alone(setting: str, warmed: bool) -> Result:
    """RAdam without a warm-up beside Adam without one, or beside Adam with one."""
    kept = recorded()[setting]
    statement = (
        f"RAdam alone trains as well as Adam with a warm-up: {WORDS[setting]}."
        if warmed
        else f"Neither warmed up, RAdam trains better than Adam: {WORDS[setting]}."
    )
    claim = Claim(
        f"radam-alone-{'warmed' if warmed else 'adam'}{PLACES[setting]}",
        statement,
        LIU,
        f"log10 of Adam's training loss {'with a linear' if warmed else 'without'} warm-up over RAdam's without, "
        "best rate each",
        "at least" if warmed else "positive",
        FACTOR,
    )
    return measure(
        claim, list(log_gains(kept["adam"]["linear" if warmed else "none"], kept["radam"]["none"]))
    )


def _statistics(name: str, statement: str, source: str, effect: str, kind: Any, values: np.ndarray) -> Result:
    claim = Claim(name, f"{statement}: {WORDS['digits, batch 256']}.", source, effect, kind, FACTOR)
    return measure(claim, list(values))


def _gains(kind: str) -> np.ndarray:
    """log10 of Adam's loss without warm-up over that with one, with statistics of this kind."""
    kept = recorded()["statistics"][kind]
    return log_gains(kept["none"], kept["linear"])


def statistics() -> Result:
    """Whether warm-up gains less where the statistics are perfect: the lecture's reason."""
    statement = (
        "Adam gains from a warm-up because its second moment is at first estimated from a batch or a few"
    )
    effect = (
        "log10 of what warm-up gains Adam, as a factor of its training loss, with its own second moment, over what "
        "it gains where every square in it is an expectation"
    )
    return _statistics(
        "warm-up-statistics", statement, LECTURE, effect, "positive", _gains("own") - _gains("perfect")
    )


def no_need(kind: str) -> Result:
    """Whether Adam needs no warm-up once its statistics are perfect: always, or at the start."""
    start = kind == "start"
    statement = (
        f"With perfect statistics {'at its start' if start else 'at every step'} Adam needs no warm-up"
    )
    source = (
        f"{LIU}: Adam-2k, of a transformer that translates" if start else "What the lecture's reason predicts"
    )
    effect = "log10 of the training loss with a linear warm-up over that without, best rate each"
    return _statistics(f"warm-up-{kind}", statement, source, effect, "at least", -_gains(kind))


def _pairs(stem: str) -> list[tuple[str, str]]:
    """(optimiser, setting) of the claims of a stem: corrected RMSProp explains a gain, and text has no errors."""
    return [
        (optimiser, setting)
        for setting in PLACES
        for optimiser in SETTINGS[setting].rates
        if stem == "warm-up" or (optimiser != "corrected" and (stem, setting) != ("warm-up-errors", "text"))
    ]


CLAIMS: dict[str, Callable[[], Result]] = {
    f"{stem}-{optimiser}{PLACES[setting]}": partial(function, optimiser, setting)
    for stem, function in (
        ("warm-up", gain),
        ("warm-up-range", partial(widening, own=False)),
        ("warm-up-own-range", partial(widening, own=True)),
        ("warm-up-errors", held_out),
    )
    for optimiser, setting in _pairs(stem)
}
CLAIMS |= {
    f"radam-alone-{'warmed' if warmed else 'adam'}{PLACES[setting]}": partial(radam_alone, setting, warmed)
    for warmed in (False, True)
    for setting in DIGITS
}
CLAIMS |= {
    "warm-up-statistics": statistics,
    "warm-up-perfect": partial(no_need, "perfect"),
    "warm-up-start": partial(no_need, "start"),
}
