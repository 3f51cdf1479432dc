"""Another kind of model in place of a net: what it costs in accuracy. `measured` makes the record `last_resort`.

Nets of one hidden layer of several widths stand beside a linear model, kernel features, a tree and boosting, so that
each can be held against a net of its own accuracy. And what random kernel features are off by, computed now.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.metrics.pairwise import rbf_kernel

from mlsys.core import generator
from mlsys.data import Dataset, load
from mlsys.experiments.parallel import parallel
from mlsys.experiments.runs import FACTOR, SHARE
from mlsys.inference.features import KINDS
from mlsys.inference.features.last_resort import NetClassifier, fitted
from mlsys.report import Claim, Result, measure, record

DATA: dict[str, tuple[int, Callable[[int], Dataset]]] = {  # name -> seeds, the set that a seed draws
    "digits": (12, lambda seed: load("digits")),
    "breast_cancer": (24, lambda seed: load("breast_cancer")),
    "shapes": (4, lambda seed: load("shapes", seed=seed, n=3000)),
}
HIDDEN = (2, 4, 8, 16, 32, 64)  # beside the 256 of "net"
OTHERS = ("linear", "kernel features", "tree", "boosting")
FEATURES = 2048
MANY = tuple(range(1, 41))  # sets of points: an error is quickly measured
WORDS = {
    "digits": "digits, 64 pixels",
    "breast_cancer": "breast tumours, 30 measurements",
    "shapes": "shapes of 16 x 16 pixels, which may be anywhere",
}


def models(data: str, seed: int, hidden: Sequence[int] = HIDDEN, number: int = FEATURES) -> tuple[dict, Any]:
    """({name: what predicts}, the held-out part): OTHERS, "net" and "net 2" to "net 64", trained on 3/4 of the rows."""
    split = DATA[data][1](seed).split(seed=seed).standardised()
    X, y = split.train.X, split.train.y
    classes = int(y.max()) + 1
    found = fitted(X, y, classes, seed, number)
    found |= {f"net {width}": NetClassifier(X, y, classes, seed, width) for width in hidden}
    return found, split.test


def operations(model: Any, X: np.ndarray) -> float:
    """What one prediction takes: multiply-adds of a linear model, of features and of a net; comparisons of trees,
    those of X's rows on average. Exponentials and cosines are not counted."""
    if isinstance(model, NetClassifier):
        return float(sum(p.numel() for p in model.net.parameters() if p.ndim > 1))
    if hasattr(model, "features"):
        return float(model.features.multiply_adds() + model.linear.coef_.size)
    if hasattr(model, "coef_"):
        return float(model.coef_.size)
    if hasattr(model, "tree_"):
        return float(model.decision_path(X).sum() / len(X) - 1)
    return float(sum(_depth(tree.nodes) for each in model._predictors for tree in each))


def _depth(nodes: Any) -> float:
    """The comparisons of a boosted tree, over the rows that it was grown on."""
    leaves = nodes[nodes["is_leaf"] == 1]
    return float(np.average(leaves["depth"], weights=leaves["count"]))


def run(data: str, seed: int, **options: Any) -> dict[str, tuple[float, float, int]]:
    """{name: (share of held-out rows named rightly, operations of a prediction, bytes pickled)}, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found, test = models(data, seed, **options)
        return {
            name: (
                float(np.mean(model.predict(test.X) == test.y)),
                operations(model, test.X),
                len(pickle.dumps(model)),
            )
            for name, model in found.items()
        }
    finally:
        torch.set_num_threads(threads)


def measured(seeds: Mapping[str, Sequence[int]] | None = None, **options: Any) -> dict[str, Any]:
    """{data: {name: {"accuracy": a seed each, "operations": of a prediction, "size_bytes": both in the mean}}}.

    seeds : data -> seeds, in place of as many as DATA says
    """
    chosen = (
        {data: tuple(range(1, number + 1)) for data, (number, _) in DATA.items()} if seeds is None else seeds
    )
    calls = [(data, seed) for data, each in chosen.items() for seed in each]
    done = iter(list(parallel(partial(run, **options), calls)))
    result = {}
    for data, each in chosen.items():
        rows = [next(done) for _ in each]
        result[data] = {
            name: {
                "accuracy": [row[name][0] for row in rows],
                "operations": float(np.mean([row[name][1] for row in rows])),
                "size_bytes": float(np.mean([row[name][2] for row in rows])),
            }
            for name in rows[0]
        }
    return result


def recorded(data: str) -> dict[str, Any]:
    """What the record `last_resort` has of a set."""
    return record.load("last_resort")["result"][data]


def equal_net(data: str, kind: str) -> int | None:
    """The hidden width of the narrowest net whose mean accuracy is at least that of a kind; None if there is none."""
    found = recorded(data)
    wanted = np.mean(found[kind]["accuracy"])
    nets = {width: f"net {width}" for width in HIDDEN} | {256: "net"}
    return next((width for width, name in nets.items() if np.mean(found[name]["accuracy"]) >= wanted), None)


def costs_accuracy(data: str, kind: str) -> Result:
    """Whether a net of 256 units is more accurate than another kind of model."""
    name = kind.replace(" ", "-")
    article = {"linear": "A linear model", "tree": "A tree"}.get(kind, kind[0].upper() + kind[1:])
    verb = "cost" if kind == "kernel features" else "costs"
    claim = Claim(
        f"{name}-in-place-of-a-net-{data.replace('_', '-')}",
        f"{article} in place of a net {verb} accuracy: {WORDS[data]}.",
        "The lecture on inference, which calls another kind of model the last resort",
        f"share of held-out rows named rightly, a net of 256 hidden units minus {kind}, {WORDS[data]}",
        "positive",
        SHARE,
        (-1.0, 1.0),
    )
    found = recorded(data)
    return measure(claim, list(np.subtract(found["net"]["accuracy"], found[kind]["accuracy"])))


def kernel_error(kind: str, seed: int, d: int = 64, D: int = 512) -> float:
    """The root mean square of z(x) . z(y) - k(x, y) over pairs of 100 points, of five maps that the seed draws."""
    rng = generator(seed, "last resort", "points")
    X = rng.standard_normal((100, d)) * rng.uniform(0, 1, (100, 1))
    exact, pairs = rbf_kernel(X, gamma=1 / d), np.triu_indices(100, 1)
    squares = []
    for draw in range(5):
        z = KINDS[kind](d, D, 1 / d, generator(seed, "last resort", kind, str(draw))).transform(X)
        squares.append(np.mean((z @ z.T - exact)[pairs] ** 2))
    return float(np.sqrt(np.mean(squares)))


def feature_error(kind: str, seeds: Sequence[int] = MANY) -> Result:
    """Structured frequencies beside independent ones: the error of the kernel."""
    orthogonal = kind == "orthogonal"
    claim = Claim(
        f"{kind}-error",
        "Orthogonal frequencies estimate the kernel better than independent ones."
        if orthogonal
        else "Fastfood's frequencies estimate the kernel as well as independent ones.",
        "Yu et al. (2016)" if orthogonal else "Le et al. (2013)",
        f"log10 of the kernel's error with independent frequencies over that with {kind} ones, 64 inputs, 512 "
        "features, pairs of points near and far",
        "positive" if orthogonal else "at least",
        FACTOR,
    )
    ratios = [kernel_error("rff", seed) / kernel_error(kind, seed) for seed in seeds]
    return measure(claim, list(np.log10(ratios)))


CLAIMS: dict[str, Callable[..., Result]] = {
    **{
        f"{kind.replace(' ', '-')}-in-place-of-a-net-{data.replace('_', '-')}": partial(
            costs_accuracy, data, kind
        )
        for data in DATA
        for kind in OTHERS
    },
    **{f"{kind}-error": partial(feature_error, kind) for kind in ("orthogonal", "fastfood")},
}
