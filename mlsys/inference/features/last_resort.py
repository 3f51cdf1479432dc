"""The last resort: another kind of model. Linear, kernel features, trees and boosting against a net, on one table."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.tree import DecisionTreeClassifier
from torch import nn
from torch.nn.functional import cross_entropy

from mlsys.core import generator
from mlsys.core.checks import whole
from mlsys.data import Dataset, load
from mlsys.inference.features.random import Features, fastfood
from mlsys.optim import AdamW

BATCHES = (1, 256)
Timed = Callable[[Callable[[], Any]], float]  # runs the call as often as it likes -> seconds of one
Model = Callable[[np.ndarray], np.ndarray]  # X (n, d) -> labels (n,)


class Kind(NamedTuple):
    """accuracy : share of held-out rows named rightly;  latency_s : batch size -> seconds of one call to predict;
    size_bytes : of the model pickled, whatever is needed to predict included."""

    name: str
    accuracy: float
    latency_s: dict[int, float]
    size_bytes: int


class KernelClassifier:
    """Random features, then a linear model on them."""

    def __init__(self, features: Features, X: np.ndarray, y: np.ndarray) -> None:
        self.features = features
        self.linear = RidgeClassifier(alpha=0.1).fit(features.transform(X), y)

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.linear.predict(self.features.transform(X))


class NetClassifier:
    """A net of one hidden layer of relus, trained by AdamW on cross-entropy, 50 rows a step."""

    def __init__(
        self, X: np.ndarray, y: np.ndarray, classes: int, seed: int, hidden: int = 256, epochs: int = 30
    ) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.net = nn.Sequential(nn.Linear(X.shape[1], hidden), nn.ReLU(), nn.Linear(hidden, classes))
        optimizer, rng = AdamW(self.net.parameters(), lr=3e-3), generator(seed, "last resort", "batches")
        inputs, labels = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
        for _ in range(epochs):
            for rows in torch.from_numpy(rng.permutation(len(y))).split(50):
                optimizer.zero_grad()
                cross_entropy(self.net(inputs[rows]), labels[rows]).backward()
                optimizer.step()

    def predict(self, X: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return self.net(torch.tensor(X, dtype=torch.float32)).argmax(1).numpy()


def last_resort(
    timed: Timed, seed: int = 0, dataset: Dataset | None = None, number: int = 2048
) -> list[Kind]:
    """Each kind of model, trained on 3/4 of the rows, judged by the rest and timed at batches of 1 and 256.

    timed : call -> seconds of one call, such as a median over repetitions; it decides how the clock is read
    dataset : labels 0 … k - 1; the digits without it. Features are standardised for all alike, from the training part.
    number : of random features. One torch thread; scikit-learn's own threads are the caller's to set.
    Raises ValueError if labels are no such classes.
    """
    split = (load("digits") if dataset is None else dataset).split(seed=seed).standardised()
    (X, y), (held_out, labels) = ((part.X, part.y) for part in split)
    classes = int(max(y.max(), labels.max())) + 1
    if y.dtype.kind not in "iu" or min(y.min(), labels.min()) < 0 or len(np.unique(y)) != classes:
        raise ValueError(
            f"dataset must have the labels 0 … k - 1, all in the training part; got {np.unique(y)[:12]}."
        )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        models = fitted(X, y, classes, whole(seed=seed), number)
        return [_judged(name, model, held_out, labels, timed) for name, model in models.items()]
    finally:
        torch.set_num_threads(threads)


def fitted(X: np.ndarray, y: np.ndarray, classes: int, seed: int, number: int) -> dict[str, Any]:
    """Each kind of model by its name, trained on X (n, d) and labels y.

    gamma : 1 / (4 d), so that two rows that are standardised and unrelated have the kernel exp(-1/2)
    number : of random features
    """
    d = X.shape[1]
    features = fastfood(d, number, 1 / (4 * d), generator(seed, "last resort", "features"), np.float32)
    return {
        "linear": LogisticRegression(max_iter=2000).fit(X, y),
        "kernel features": KernelClassifier(features, X, y),
        "tree": DecisionTreeClassifier(random_state=seed).fit(X, y),
        "boosting": HistGradientBoostingClassifier(max_iter=60, early_stopping=False, random_state=seed).fit(
            X, y
        ),
        "net": NetClassifier(X, y, classes, seed),
    }


def _judged(name: str, model: Any, X: np.ndarray, y: np.ndarray, timed: Timed) -> Kind:
    accuracy = float(np.mean(model.predict(X) == y))
    latency = {}
    for batch in BATCHES:
        rows = np.resize(X, (batch, X.shape[1]))  # repeated where too few are held out
        latency[batch] = float(timed(partial(model.predict, rows)))
    return Kind(name, accuracy, latency, len(pickle.dumps(model)))
