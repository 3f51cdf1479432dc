"""Images as a conv net wants them, and their random and fixed variations: pure functions of (rng, batch)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlsys.core.checks import whole
from mlsys.data.dataset import Dataset


def images(dataset: Dataset) -> np.ndarray:
    """The rows of X as (n, channels, height, width), a read-only view of them.

    For shapes, digits, mnist and cifar10, whose field `image` says (channels, height, width). Raises ValueError for
    a set that has no images.
    """
    if dataset.image is None:
        raise ValueError(
            f"{dataset.name} has no images. load('shapes'), 'digits', 'mnist' and 'cifar10' have; of your own, "
            "Dataset(..., image=(channels, height, width))."
        )
    return dataset.X.reshape(len(dataset), *dataset.image)


def _batch(batch: np.ndarray) -> np.ndarray:
    if not isinstance(batch, np.ndarray) or batch.ndim != 4:
        got = f"shape {batch.shape}" if isinstance(batch, np.ndarray) else type(batch).__name__
        raise TypeError(f"batch must be a numpy array (b, c, h, w); got {got}. images(dataset)[rows] is one.")
    return batch


def random_crop(
    rng: np.random.Generator, batch: np.ndarray, padding: int = 4, fill: float = 0.0
) -> np.ndarray:
    """Each image (b, c, h, w) moved by up to `padding` pixels either way, each of the moves alike; `fill` comes in.

    The same as padding it and cutting a window of its size out. A new array; padding = 4 is what CIFAR-10 gets.
    Raises TypeError or ValueError if batch is no batch of images or padding < 0.
    """
    b, _, h, w = _batch(batch).shape
    p = whole(padding=padding)
    padded = np.pad(batch, ((0, 0), (0, 0), (p, p), (p, p)), constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(
        padded, (h, w), axis=(2, 3)
    )  # (b, c, 2p+1, 2p+1, h, w)
    down, right = rng.integers(0, 2 * p + 1, (2, b))
    return windows[np.arange(b), :, down, right]


def random_flip(rng: np.random.Generator, batch: np.ndarray) -> np.ndarray:
    """Each image (b, c, h, w) mirrored left to right, or not, with probability 1/2. A new array."""
    flipped = rng.random(len(_batch(batch))) < 0.5
    return np.where(flipped[:, None, None, None], batch[..., ::-1], batch)


def augmented(rng: np.random.Generator, batch: np.ndarray, padding: int = 4) -> np.ndarray:
    """random_flip, then random_crop: the usual training variation for CIFAR-10, (b, c, h, w) -> (b, c, h, w).

    Source: He, Zhang, Ren & Sun (2016), §4.2. Not for digits: a mirrored 2 is none.
    """
    return random_crop(rng, random_flip(rng, batch), padding)


def views(batch: np.ndarray, shift: int = 0, fill: float = 0.0) -> list[np.ndarray]:
    """The fixed variations to judge by: the images and their mirror images; with shift > 0 also both of them moved
    by so many pixels to each of the four corners, ten in all. Each (b, c, h, w).
    """
    s = whole(shift=shift)
    h, w = _batch(batch).shape[2:]
    padded = np.pad(batch, ((0, 0), (0, 0), (s, s), (s, s)), constant_values=fill)
    corners = [(s, s), *((i, j) for i in (0, 2 * s) for j in (0, 2 * s) if s)]
    moved = [padded[:, :, i : i + h, j : j + w] for i, j in corners]
    return [np.ascontiguousarray(view) for m in moved for view in (m, m[..., ::-1])]


def predict_over_views(
    predict: Callable[[np.ndarray], np.ndarray], batch: np.ndarray, shift: int = 0
) -> np.ndarray:
    """Test-time augmentation: the mean of predict(view), (b, classes) probabilities, over views(batch, shift)."""
    return np.mean([predict(view) for view in views(batch, shift)], axis=0)
