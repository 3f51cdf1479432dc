"""Sets that must be fetched once from OpenML, and are kept on disk from then on."""

from __future__ import annotations

import os
import zipfile
from http.client import HTTPException
from pathlib import Path

import numpy as np

from mlsys.data.dataset import Dataset

_SETS: dict[str, tuple[int, tuple[int, int, int], str, str]] = {
    "mnist": (
        554,
        (1, 28, 28),
        "LeCun, Cortes & Burges (1998), MNIST; OpenML 554",
        "CC BY-SA 3.0, as commonly stated for MNIST; check before you redistribute it",
    ),
    "cifar10": (
        40927,
        # OpenML keeps the rows of the authors' own files, where "the first 1024 entries contain the red channel values,
        # the next 1024 the green, and the final 1024 the blue", each in row-major order: channel, row, column.
        # https://www.cs.toronto.edu/~kriz/cifar.html
        (3, 32, 32),
        "Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images; OpenML 40927",
        "no licence stated by its authors; for research, citing the source",
    ),
}
NAMES = tuple(_SETS)


def cache_folder() -> Path:
    """Where fetched sets are kept: $MLSYS_CACHE, or ~/.cache/mlsys."""
    return Path(os.environ.get("MLSYS_CACHE") or Path.home() / ".cache" / "mlsys")


def openml(name: str) -> Dataset:
    """One of NAMES: X (n, d) float32 in [0, 1], y (n,) int64 labels; from disk if it was fetched before.

    mnist : (70000, 784), 28 x 28;  cifar10 : (60000, 3072), 3 x 32 x 32; both in the authors' order: 60,000 and
    50,000 images to learn from, then 10,000 to judge by (Dataset.take gives these; split draws its own)
    Raises ConnectionError if it has to be fetched and cannot be; KeyError for another name.
    """
    number, image, source, licence = _SETS[name]
    kept = cache_folder() / f"{name}.npz"
    pixels, labels = _read(kept) or _fetch(name, number, kept)
    return Dataset(name, pixels.astype(np.float32) / 255, labels.astype(np.int64), source, licence, image)


def _read(kept: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """What an earlier call stored, None if there is nothing or it cannot be read."""
    try:
        with np.load(kept) as archive:
            return archive["pixels"], archive["labels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _fetch(name: str, number: int, kept: Path) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import fetch_openml

    try:
        bunch = fetch_openml(data_id=number, as_frame=False, parser="auto", cache=False)
    except (OSError, HTTPException) as error:
        raise ConnectionError(
            f"{name} is not on this machine and could not be fetched from OpenML (set {number}): {error}. "
            f"Run mlsys.data.load({name!r}) once while connected, or copy {kept.name} from a machine that "
            f"has it to {kept.parent} (the environment variable MLSYS_CACHE names another folder), or use "
            "load('digits'), which needs no network."
        ) from error
    pixels, labels = np.asarray(bunch.data).astype(np.uint8), np.asarray(bunch.target).astype(np.uint8)
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_name(f"{name}.{os.getpid()}.part")
    with part.open("wb") as file:  # renamed when whole, so that a killed run leaves no half archive
        np.savez_compressed(file, pixels=pixels, labels=labels)
    part.replace(kept)
    return pixels, labels
