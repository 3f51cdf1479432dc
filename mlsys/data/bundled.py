"""The real sets that scikit-learn ships with: no network, no waiting."""

from __future__ import annotations

import importlib

from mlsys.data.dataset import Dataset

_UCI = "CC BY 4.0 (UCI Machine Learning Repository)"
_SETS: dict[str, tuple[str, str]] = {
    "digits": ("Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits, test part, 8 x 8", _UCI),
    "breast_cancer": (
        "Wolberg, Mangasarian, Street & Street (1995), Breast Cancer Wisconsin (Diagnostic)",
        _UCI,
    ),
    "wine": ("Aeberhard & Forina (1991), Wine", _UCI),
    "diabetes": (
        "Efron, Hastie, Johnstone & Tibshirani (2004), Least Angle Regression",
        "no licence stated by its authors; distributed with scikit-learn (BSD-3-Clause)",
    ),
}
NAMES = tuple(_SETS)


def bundled(name: str) -> Dataset:
    """One of NAMES: X (n, d) float64 as it comes, y (n,) labels (diabetes: real targets).

    digits' pixels are divided by 16, so that they lie in [0, 1]; they are 8 x 8 images, row by row.
    Raises KeyError for another name.
    """
    source, licence = _SETS[name]
    X, y = getattr(importlib.import_module("sklearn.datasets"), f"load_{name}")(return_X_y=True)
    if name == "digits":
        return Dataset(name, X / 16, y, source, licence, image=(1, 8, 8))
    return Dataset(name, X, y, source, licence)
