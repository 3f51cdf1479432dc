"""Immutable data: the thing that every algorithm of the course only reads."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse

from mlsys.core.checks import fraction, positive
from mlsys.core.seeds import generator


def frozen(array: Any) -> Any:
    """A read-only copy of an array or CSR matrix; the array itself if it is read-only already."""
    if scipy.sparse.issparse(array):
        copy = array.tocsr(copy=True)
        copy.sum_duplicates()  # sorts too, which scipy would else do in place later
        for part in (copy.data, copy.indices, copy.indptr):
            part.flags.writeable = False
        return copy
    array = np.asarray(array)
    if array.flags.writeable or array.base is not None:
        array = np.array(array)
        array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Dataset:
    """Features and targets that nobody can change, and where they come from.

    X : (n, d) floats, a numpy array or a scipy.sparse CSR matrix;  y : (n,) labels (ints) or targets (floats)
    image : (channels, height, width) where a row of X is an image, None where it is not; see `images`
    X and y are copied and made read-only: writing to them raises ValueError, as numpy does.
    Raises ValueError if X and y differ in length, or d is not what the image has.
    """

    name: str
    X: Any
    y: np.ndarray
    source: str
    licence: str
    image: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "X", frozen(self.X))
        object.__setattr__(self, "y", frozen(self.y))
        if self.X.ndim != 2 or self.y.shape != (self.X.shape[0],):
            raise ValueError(f"X must be (n, d) and y (n,); got {self.X.shape} and {self.y.shape}.")
        if self.image is not None and math.prod(self.image) != self.X.shape[1]:
            raise ValueError(
                f"image must have d = {self.X.shape[1]} pixels; got {self.image}, which has "
                f"{math.prod(self.image)}. Pass (channels, height, width), or None."
            )

    def __len__(self) -> int:
        return self.X.shape[0]

    def take(self, indices: Any) -> Dataset:
        """The rows of these indices, as a dataset of its own."""
        return replace(self, X=self.X[indices], y=self.y[indices])

    def split(self, test_share: float = 0.25, seed: int = 0) -> Split:
        """A random train and test part; the same seed gives the same parts on every machine.

        test_share : float in (0, 1); each part gets at least one row
        Raises ValueError if test_share is out of range or there are fewer than two rows.
        """
        share = fraction(test_share=positive(test_share=test_share))
        if len(self) < 2:
            raise ValueError(f"{self.name} has {len(self)} rows; a split needs two.")
        order = generator(seed, "split", self.name).permutation(len(self))
        cut = min(max(1, round(share * len(self))), len(self) - 1)
        return Split(self.take(order[cut:]), self.take(order[:cut]))


class Split(NamedTuple):
    """train : the rows to learn from;  test : the rows to judge by."""

    train: Dataset
    test: Dataset

    def standardised(self) -> Split:
        """Each feature minus its mean over *train*, divided by its deviation there (1 if it is constant).

        Raises TypeError for sparse features, which would not stay sparse.
        """
        X = self.train.X
        if scipy.sparse.issparse(X):
            raise TypeError(
                f"{self.train.name} has sparse features; subtracting a mean would fill them in. Leave "
                "them as they are, or divide them by their root mean square."
            )
        mean, deviation = X.mean(0), X.std(0)
        deviation = np.where(deviation > 0, deviation, 1)
        train, test = (replace(part, X=(part.X - mean) / deviation) for part in self)
        return Split(train, test)
