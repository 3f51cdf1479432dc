"""A small multi-layer perceptron: its parameters one flat vector, its gradient by hand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import logsumexp

from mlsys.core.checks import nonnegative, whole
from mlsys.models.points import point


class MLP:
    """f(w) = mean cross-entropy of softmax(z) + l2 * |w|**2 / 2, with z = W_k tanh(… W_1 x + b_1 …) + b_k.

    X : (n, features) floats;  y : (n,) labels 0, 1, …;  hidden : widths of the hidden layers, () for none,
    which is softmax regression;  l2 : float >= 0, on weights and biases alike
    w : (d,), the weights (out, in) and biases (out,) of each layer in turn: the order of torch's
    parameters_to_vector, so that `torch_mlp` and this are the same function
    value(w, batch) -> float;  gradient(w, batch) -> (d,), in the dtype of w
    Raises TypeError or ValueError if X, y, hidden, l2 or w do not fit.
    """

    def __init__(self, X: np.ndarray, y: np.ndarray, hidden: Sequence[int] = (32,), l2: float = 0.0) -> None:
        self.X, self.y = np.asarray(X), np.asarray(y)
        if self.X.ndim != 2 or self.X.dtype.kind != "f":
            raise TypeError(
                f"X must be (n, features) floats; got shape {self.X.shape}, dtype {self.X.dtype}."
            )
        self.n = len(self.X)
        if self.y.shape != (self.n,) or self.y.dtype.kind not in "iu" or self.y.min(initial=0) < 0:
            raise ValueError(
                f"y must be ({self.n},) whole labels >= 0; got shape {self.y.shape}, dtype {self.y.dtype}."
            )
        self.sizes = (self.X.shape[1], *(whole(1, hidden=h) for h in hidden), int(self.y.max()) + 1)
        self.d = sum(out * (into + 1) for into, out in pairwise(self.sizes))
        self.l2 = nonnegative(l2=l2)

    def layers(self, w: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """(W (out, in), b (out,)) of each layer, as views of w (d,)."""
        views, at = [], 0
        for into, out in pairwise(self.sizes):
            W = w[at : at + out * into].reshape(out, into)
            views.append((W, w[at + out * into : at + out * (into + 1)]))
            at += out * (into + 1)
        return views

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """Random weights of variance 1 / in (LeCun's, for tanh) and zero biases, (d,) in the dtype of X."""
        w = np.zeros(self.d, self.X.dtype)
        for W, _ in self.layers(w):
            W[:] = rng.standard_normal(W.shape) / np.sqrt(W.shape[1])
        return w

    def _forward(self, w: np.ndarray, X: np.ndarray) -> list[np.ndarray]:
        """The input and each layer's output, the logits (b, classes) last."""
        outputs = [X]
        for i, (W, b) in enumerate(self.layers(point(w, self.d))):
            z = outputs[-1] @ W.T + b
            outputs.append(z if i == len(self.sizes) - 2 else np.tanh(z))
        return outputs

    def logits(self, w: np.ndarray, X: np.ndarray | None = None) -> np.ndarray:
        """The scores of each class, (n, classes), for these inputs or others."""
        return self._forward(w, self.X if X is None else X)[-1]

    def accuracy(self, w: np.ndarray, X: np.ndarray | None = None, y: np.ndarray | None = None) -> float:
        """The share of labels that have the largest score."""
        return float(np.mean(self.logits(w, X).argmax(1) == (self.y if y is None else y)))

    def _terms(self, batch: Any) -> tuple[np.ndarray, np.ndarray]:
        return (self.X, self.y) if batch is None else (self.X[batch], self.y[batch])

    def value(self, w: np.ndarray, batch: Any = None) -> float:
        """f at w (d,)."""
        X, y = self._terms(batch)
        z = self.logits(w, X)
        return float(np.mean(logsumexp(z, axis=1) - z[np.arange(len(y)), y])) + self.l2 * float(w @ w) / 2

    def gradient(self, w: np.ndarray, batch: Any = None) -> np.ndarray:
        """The gradient at w, (d,): the error of each layer from that of the next, last layer first."""
        X, y = self._terms(batch)
        outputs = self._forward(w, X)
        z = outputs.pop()
        error = np.exp(z - logsumexp(z, axis=1, keepdims=True))
        error[np.arange(len(y)), y] -= 1
        error /= len(y)
        layers, parts = self.layers(w), list[np.ndarray]()
        for i in reversed(range(len(layers))):
            a = outputs[i]
            parts = [(error.T @ a).ravel(), error.sum(0), *parts]
            if i:
                error = (error @ layers[i][0]) * (1 - a * a)  # tanh' = 1 - tanh**2
        g = np.concatenate(parts)
        return (g + self.l2 * w if self.l2 else g).astype(w.dtype, copy=False)


def torch_mlp(sizes: Sequence[int]) -> Any:
    """The same network as a torch module: Linear, Tanh, …, Linear, for MLP.sizes or others.

    Copy weights with torch.nn.utils.vector_to_parameters(torch.from_numpy(w), module.parameters()).
    Raises ValueError if fewer than two sizes are given.
    """
    import torch

    if len(sizes) < 2:
        raise ValueError(f"sizes must name the inputs and the classes at least; got {tuple(sizes)}.")
    modules: list[Any] = []
    for into, out in pairwise(whole(1, sizes=s) for s in sizes):
        modules += [torch.nn.Linear(into, out), torch.nn.Tanh()]
    return torch.nn.Sequential(*modules[:-1])
