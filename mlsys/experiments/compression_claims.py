"""What compression costs and saves: the claims, read from the records `compression`, `distillation`, `lever_times`."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from mlsys.experiments import compression, distillation, lever_times
from mlsys.experiments.runs import FACTOR, SHARE
from mlsys.report import Claim, Result, measure

LECTURE = "The lecture on inference"
OURS = "Our question"
NET = "a small convolutional net on digits"
CONTROL = "none, float32"

LOSSY = {  # name: (lever, kind, statement, source)
    "lossy-magnitude-50": (
        "magnitude, 50%",
        "positive",
        "Setting half of the weights to zero costs accuracy",
        LECTURE,
    ),
    "lossy-magnitude-90": (
        "magnitude, 90%",
        "positive",
        "Setting nine weights of ten to zero costs accuracy",
        LECTURE,
    ),
    "lossy-two-four": (
        "2:4, 50%",
        "positive",
        "Setting two weights of every four to zero costs accuracy",
        LECTURE,
    ),
    "lossy-channels-50": (
        "channels, 50%",
        "positive",
        "Removing half of the channels costs accuracy",
        LECTURE,
    ),
}
RESTORED = {
    "restored-magnitude-90": ("magnitude, 90%", "nine weights of ten are pruned"),
    "restored-magnitude-95": ("magnitude, 95%", "nineteen of twenty are"),
    "restored-two-four": ("2:4, 50%", "two weights of every four are"),
    "restored-channels-50": ("channels, 50%", "half of the channels are removed"),
    "restored-bits-4": ("quantisation-aware, 4-bit weights", "the weights are rounded to 4 bits"),
    "restored-bits-2": ("quantisation-aware, 2-bit weights", "they are rounded to 2 bits"),
}
MODES = ("weight-only", "dynamic", "static")
GRAINS = {"": "per channel", "-tensor": "per tensor"}
FEWER = {8: "none", 4: "positive", 2: "positive"}  # bits: the kind of the claim about rounding after training


def accuracy(lever: str, when: str) -> np.ndarray:
    """A lever's accuracy on the test part, "before" or "after" retraining, a seed each."""
    return np.array(compression.recorded()[lever][when])


def _shares(name: str, statement: str, source: str, effect: str, kind: Any, values: np.ndarray) -> Result:
    claim = Claim(name, f"{statement}.", source, f"{effect}: {NET}", kind, SHARE)
    return measure(claim, list(values))


def lossy(name: str) -> Result:
    """What the operation itself costs, before anything is retrained."""
    lever, kind, statement, source = LOSSY[name]
    effect = "share of the test part read rightly by the net as it was trained, minus that right after the operation"
    return _shares(
        name, statement, source, effect, kind, accuracy(CONTROL, "before") - accuracy(lever, "before")
    )


def restored(name: str) -> Result:
    """Whether retraining brings a net to where it would have come without the operation, by the same retraining."""
    lever, after = RESTORED[name]
    effect = "share read rightly after five epochs of retraining, minus that of the untouched net retrained as long"
    statement = f"Retraining makes good what it costs that {after}"
    return _shares(
        name, statement, LECTURE, effect, "at least", accuracy(lever, "after") - accuracy(CONTROL, "after")
    )


def gradually(kind: str) -> Result:
    """Pruning while retraining against pruning first."""
    source = {"cubic": "Zhu & Gupta (2017)", "iterative": "Han et al. (2015)"}[kind]
    how = {"cubic": "along a cubic schedule", "iterative": "in four rounds"}[kind]
    effect = f"share read rightly after retraining, pruned to 95 % {how}, minus pruned at once; as many steps"
    values = accuracy(f"magnitude, 95%, {kind}", "after") - accuracy("magnitude, 95%", "after")
    return _shares(
        f"gradually-{kind}", f"It is better to prune {how} than at once", source, effect, "positive", values
    )


def one_threshold() -> Result:
    """One threshold for the whole net against one a layer."""
    effect = "share read rightly after retraining, 90 % pruned by one threshold, minus by one a layer"
    values = accuracy("magnitude, 90%", "after") - accuracy("magnitude, 90%, each layer", "after")
    statement = "One threshold for the whole net prunes better than one a layer"
    return _shares("one-threshold", statement, OURS, effect, "positive", values)


def from_scratch(width: int) -> Result:
    """The narrow net trained from the start against the wide one cut down to its width and retrained."""
    lever = f"channels, {100 - 100 * width // 16}%"
    effect = "share read rightly by the narrow net, minus by the pruned one of the same shape; as many epochs"
    values = accuracy(f"narrow, width {width}", "before") - accuracy(lever, "after")
    statement = (
        f"A net of width {width} trained from the start does as well as one of width 16 cut down to it"
    )
    return _shares(f"from-scratch-{width}", statement, "Liu et al. (2019)", effect, "at least", values)


def int8(mode: str, grain: str) -> Result:
    """What 8 bits after training cost."""
    effect = "share read rightly in float32, minus in int8, nothing retrained"
    values = accuracy(CONTROL, "before") - accuracy(f"int8 {mode}, {GRAINS[grain]}", "before")
    statement = f"Int8 after training costs no accuracy: {mode}, weights {GRAINS[grain]}"
    return _shares(f"int8-{mode}{grain}", statement, LECTURE, effect, "none", values)


def few_bits(bits: int) -> Result:
    """What fewer bits of the weights cost, before the net learns to live with them."""
    effect = (
        "share read rightly in float32, minus with the weights rounded after training, activations in 8 bits"
    )
    values = accuracy(CONTROL, "before") - accuracy(f"quantisation-aware, {bits}-bit weights", "before")
    costs = "cost no accuracy" if FEWER[bits] == "none" else "cost accuracy"
    statement = f"Weights of {bits} bits, rounded after training, {costs}"
    return _shares(f"bits-{bits}", statement, LECTURE, effect, FEWER[bits], values)


def taught(width: int, share: str) -> Result:
    """What soft targets are worth to a student."""
    found = distillation.recorded()[f"width {width}, {share}"]
    examples = "all 1,078 examples" if share == "all" else "one example in ten"
    claim = Claim(
        f"taught-{width}-{share}",
        f"A net of a width of {width} learns more from a teacher than from the labels: {examples}.",
        "Hinton, Vinyals & Dean (2015)",
        "share of the test part read rightly by the student with soft targets of T = 4, minus by the same start with "
        f"the labels alone, as many steps: {NET}",
        "positive",
        SHARE,
    )
    return measure(claim, list(np.subtract(found["T = 4"], found["labels"])))


def warmer(width: int, share: str) -> Result:
    """A temperature of 4 against one of 1."""
    found = distillation.recorded()[f"width {width}, {share}"]
    effect = "share read rightly by the student, T = 4 minus T = 1"
    examples = "all examples" if share == "all" else "one example in ten"
    statement = f"A teacher at a temperature of 4 teaches more than one at 1: width {width}, {examples}"
    values = np.subtract(found["T = 4"], found["T = 1"])
    return _shares(
        f"warmer-{width}-{share}", statement, "Hinton, Vinyals & Dean (2015)", effect, "positive", values
    )


class Timed(Result):
    """A ratio of times: the effects are of blocks of rounds on one machine, not of seeds."""

    def _repr_html_(self) -> str:
        return re.sub(r"(\d+) seeds\)", r"\1 blocks of rounds, one machine)", super()._repr_html_())


FASTER = {  # name: (lever, what is said)
    "zeros": ("90% zeros", "Nine zeros of ten make a dense kernel faster"),
    "sparse-rows": (
        "90% zeros, sparse rows",
        "Nine zeros of ten make a sparse product faster than a dense one",
    ),
    "two-four": ("2:4", "Two zeros of every four make a dense kernel faster"),
    "channels": ("half the channels", "Removing half of the channels makes a pass faster"),
    "int8-weight-only": ("int8 weight-only", "Int8 weights make a pass faster"),
    "int8-dynamic": ("int8 dynamic", "Int8 with dynamic activations makes a pass faster"),
    "int8-static": ("int8 static", "Int8 with static activations makes a pass faster"),
}
ASKED = {"digits": ("channels", "int8-static"), "feed-forward": tuple(FASTER)}
WORDS = {"digits": "the small net", "feed-forward": "768 -> 3072 -> 768"}


def faster(which: str, net: str, rows: int) -> Result:
    """Whether a lever makes a pass faster than the same runtime in float32 does."""
    lever, says = FASTER[which]
    found = lever_times.recorded()[net][str(rows)]
    batch = f"{rows} rows" if rows > 1 else "one row"
    claim = Claim(
        f"faster-{which}-{net}-{rows}",
        f"{says}: {WORDS[net]}, {batch}.",
        LECTURE,
        "log10 of the median time of a pass in float32 over that with the lever, onnxruntime, one thread",
        "positive",
        FACTOR,
    )
    return Timed(claim, measure(claim, list(np.log10(np.divide(found["float32"], found[lever])))).effects)


CLAIMS: dict[str, Callable[[], Result]] = {name: partial(lossy, name) for name in LOSSY}
CLAIMS |= {name: partial(restored, name) for name in RESTORED}
CLAIMS |= {f"gradually-{kind}": partial(gradually, kind) for kind in ("iterative", "cubic")}
CLAIMS |= {"one-threshold": one_threshold}
CLAIMS |= {f"from-scratch-{width}": partial(from_scratch, width) for width in (8, 4)}
CLAIMS |= {f"int8-{mode}{grain}": partial(int8, mode, grain) for grain in GRAINS for mode in MODES}
CLAIMS |= {f"bits-{bits}": partial(few_bits, bits) for bits in FEWER}
CLAIMS |= {
    f"{stem}-{width}-{share}": partial(function, width, share)
    for stem, function in (("taught", taught), ("warmer", warmer))
    for width, temperatures in distillation.TEMPERATURES.items()
    for share in distillation.SHARES
    if stem == "taught" or 1 in temperatures
}
CLAIMS |= {
    f"faster-{which}-{net}-{rows}": partial(faster, which, net, rows)
    for net, asked in ASKED.items()
    for which in asked
    for rows in lever_times.ROWS
}
