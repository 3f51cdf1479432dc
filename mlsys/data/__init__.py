"""Immutable datasets: generated, bundled, and the real loaders. `load(name)` gives any of them, `load_text` a text.

NAMES : blobs, scaled-regression, sparse-text, shapes (generated); digits, breast_cancer, wine, diabetes (bundled);
mnist, cifar10 (fetched once). Of shapes, digits, mnist and cifar10, images(dataset) is (n, channels, h, w).
TEXTS : grammar (generated, its entropy known). No human text is bundled: what ships with a dependency is either too
small or differs between its versions, and none has a known floor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlsys.data import bundled as _bundled
from mlsys.data import openml as _openml
from mlsys.data.augment import augmented, images, predict_over_views, random_crop, random_flip, views
from mlsys.data.dataset import Dataset, Split
from mlsys.data.drawn import shapes
from mlsys.data.generated import blobs, scaled_regression, sparse_text
from mlsys.data.language import grammar
from mlsys.data.text import Text, TextSplit

_GENERATED: dict[str, Callable[..., Dataset]] = {
    "blobs": blobs,
    "scaled-regression": scaled_regression,
    "sparse-text": sparse_text,
    "shapes": shapes,
}
_TEXTS: dict[str, Callable[..., Text]] = {"grammar": grammar}
TEXTS = tuple(_TEXTS)
NAMES = (*_GENERATED, *_bundled.NAMES, *_openml.NAMES)


def load(name: str, seed: int = 0, **options: Any) -> Dataset:
    """The dataset of this name: one of NAMES.

    seed, options : of generated sets, such as load("blobs", seed=1, n=100); real sets are what they are
    Raises ValueError for an unknown name, TypeError for an option that the set does not have, and
    ConnectionError if mnist or cifar10 was never fetched and there is no network.
    """
    if name in _GENERATED:
        return _GENERATED[name](seed, **options)
    if name in TEXTS:
        raise ValueError(f"{name} is a text, which has tokens, not rows. Use load_text({name!r}).")
    if name not in NAMES:
        raise ValueError(f"no dataset {name!r}. There is: {', '.join(NAMES)}.")
    if options:
        raise TypeError(f"{name} is a real set and has no options; got {', '.join(options)}.")
    return _bundled.bundled(name) if name in _bundled.NAMES else _openml.openml(name)


def load_text(name: str, seed: int = 0, **options: Any) -> Text:
    """The text of this name: one of TEXTS, such as load_text("grammar", seed=1, sentences=500).

    Raises ValueError for an unknown name and TypeError for an option that the text does not have.
    """
    if name not in TEXTS:
        raise ValueError(f"no text {name!r}. There is: {', '.join(TEXTS)}.")
    return _TEXTS[name](seed, **options)


__all__ = [
    "NAMES",
    "TEXTS",
    "Dataset",
    "Split",
    "Text",
    "TextSplit",
    "augmented",
    "blobs",
    "grammar",
    "images",
    "load",
    "load_text",
    "predict_over_views",
    "random_crop",
    "random_flip",
    "scaled_regression",
    "shapes",
    "sparse_text",
    "views",
]
