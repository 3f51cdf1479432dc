"""Immutable datasets: generated, bundled, and the real loaders. `load(name)` gives any of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlsys.data import bundled as _bundled
from mlsys.data import openml as _openml
from mlsys.data.dataset import Dataset, Split
from mlsys.data.generated import blobs, scaled_regression, sparse_text

_GENERATED: dict[str, Callable[..., Dataset]] = {
    "blobs": blobs,
    "scaled-regression": scaled_regression,
    "sparse-text": sparse_text,
}
NAMES = (*_GENERATED, *_bundled.NAMES, *_openml.NAMES)


def load(name: str, seed: int = 0, **options: Any) -> Dataset:
    """The dataset of this name: one of NAMES.

    seed, options : of generated sets, such as load("blobs", seed=1, n=100); real sets are what they are
    Raises ValueError for an unknown name, TypeError for an option that the set does not have, and
    ConnectionError if mnist or cifar10 was never fetched and there is no network.
    """
    if name in _GENERATED:
        return _GENERATED[name](seed, **options)
    if name not in NAMES:
        raise ValueError(f"no dataset {name!r}. There is: {', '.join(NAMES)}.")
    if options:
        raise TypeError(f"{name} is a real set and has no options; got {', '.join(options)}.")
    return _bundled.bundled(name) if name in _bundled.NAMES else _openml.openml(name)


__all__ = ["NAMES", "Dataset", "Split", "blobs", "load", "scaled_regression", "sparse_text"]
