"""What the alternatives take: nets of other layers, other kinds of models, frames that are reused. `measured` makes the
record `alternatives_times`, of one thread, on a machine that should be quiet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from mlsys.experiments import efficient_layers, last_resort
from mlsys.inference.features.last_resort import KernelClassifier, NetClassifier
from mlsys.inference.frames import ReusedConv, first_layer, video
from mlsys.inference.layers import classifier
from mlsys.inference.metrics.timing import compare
from mlsys.report import record

ROUNDS = 200
BATCHES = {"classifiers": (1, 64), "models": (1, 256)}
FIRST_LAYERS = {"7 x 7, 32 outputs": (7, 32), "3 x 3, 16 outputs": (3, 16), "1 x 1, 16 outputs": (1, 16)}
CHANGED = (0, 4, 8, 16, 32, 48, 63, 64)  # blocks of 64
Calls = Mapping[str, Callable[[], Any]]


def classifiers(batch: int) -> dict[str, Callable[[], Any]]:
    """A call a net of the record `efficient_layers`, its weights as at the start: they do not matter to the time."""
    x = torch.rand(batch, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    nets = {
        f"{kind} {multiplier:g}": classifier(kind, multiplier).eval()
        for kind, widths in efficient_layers.WIDTHS.items()
        for multiplier in widths
    }
    return {name: partial(net, x) for name, net in nets.items()}


def bare(model: Any) -> Callable[[np.ndarray], np.ndarray] | None:
    """A model's arithmetic alone, in NumPy, without what its library checks first; None for boosting."""
    if isinstance(model, NetClassifier):
        A, a, B, b = (p.detach().numpy().T for p in model.net.parameters())
        return lambda X: (np.maximum(X @ A + a, 0) @ B + b).argmax(1)
    if isinstance(model, KernelClassifier):
        W, c = model.linear.coef_.T.astype(np.float32), model.linear.intercept_.astype(np.float32)
        return lambda X: (model.features.transform(X) @ W + c).argmax(1)
    if hasattr(model, "coef_"):
        V, d = model.coef_.T.astype(np.float32), model.intercept_.astype(np.float32)
        return lambda X: (X @ V + d).argmax(1)
    if hasattr(model, "tree_"):
        return lambda X: model.tree_.predict(X).reshape(len(X), -1).argmax(1)
    return None


def kinds(batch: int, found: Mapping[str, Any], X: np.ndarray) -> dict[str, Callable[[], Any]]:
    """Two calls a kind of model, its library's `predict` and "bare …", on rows of digits in float32."""
    rows = np.resize(X.astype(np.float32), (batch, X.shape[1]))
    calls: dict[str, Callable[[], Any]] = {}
    for name, model in found.items():
        calls[name] = partial(model.predict, rows)
        arithmetic = bare(model)
        if arithmetic is not None:
            calls[f"bare {name}"] = partial(arithmetic, rows)
    return calls


def frames(kernel: int, outputs: int, changed: Sequence[int] = CHANGED) -> dict[str, Callable[[], Any]]:
    """A step of reuse with so many of 64 blocks changed, by name of their number, and "all": the whole convolution."""
    weight, bias = first_layer(0, outputs, 3, kernel)
    first = torch.tensor(video(0, frames=1, noise=0.0).frames[0])
    conv = ReusedConv(weight, bias, 16, threshold=0.01)
    seen, _ = conv.init(first)
    calls: dict[str, Callable[[], Any]] = {
        "all": partial(F.conv2d, first[None], weight, bias, padding=kernel // 2)
    }
    for number in changed:
        frame = first.clone()
        for block in np.linspace(0, 63, number).astype(int):
            row, column = 16 * (block // 8) + 8, 16 * (block % 8) + 8
            frame[:, row, column] = 1 - frame[:, row, column].round()  # in its middle: no other block sees it
        assert int(conv.step(seen, frame)[1].changed.sum()) == number
        calls[str(number)] = partial(conv.step, seen, frame)
    return calls


def measured(rounds: int = ROUNDS, hidden: Sequence[int] = last_resort.HIDDEN) -> dict[str, Any]:
    """{"classifiers", "models": {batch: {name: timing}}, "frames": {layer: {blocks: timing}}, "threads": 1}.

    A timing is as `Timing.data` gives it; the candidates of an inner table are timed in turn, `rounds` times each.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found, test = last_resort.models("digits", 1, hidden=hidden)
        return {
            "threads": 1,
            "classifiers": {str(n): timed(classifiers(n), rounds) for n in BATCHES["classifiers"]},
            "models": {str(n): timed(kinds(n, found, test.X), rounds) for n in BATCHES["models"]},
            "frames": {name: timed(frames(*layer), rounds // 2) for name, layer in FIRST_LAYERS.items()},
        }
    finally:
        torch.set_num_threads(threads)


def timed(calls: Calls, rounds: int) -> dict[str, Any]:
    """{name: timing} of calls in turn."""
    with torch.inference_mode():
        return {name: timing.data() for name, timing in compare(calls, rounds).items()}


def recorded(part: str, case: str | int) -> dict[str, float]:
    """What the record `alternatives_times` has of a part: {name: median in seconds}."""
    kept = record.load("alternatives_times")["result"][part][str(case)]
    return {name: timing["median_s"] for name, timing in kept.items()}
