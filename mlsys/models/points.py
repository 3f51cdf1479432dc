"""What every objective asks of the point it is given."""

from __future__ import annotations

import numpy as np


def point(w: np.ndarray, d: int) -> np.ndarray:
    """w itself, if it is a numpy array of floats of shape (d,); else TypeError or ValueError."""
    if not isinstance(w, np.ndarray) or w.dtype.kind != "f":
        got = f"dtype {w.dtype}" if isinstance(w, np.ndarray) else type(w).__name__
        raise TypeError(f"w must be a numpy array of floats; got {got}. Pass np.asarray(w, dtype=float).")
    if w.shape != (d,):
        raise ValueError(f"w must have shape ({d},), one entry a parameter; got {w.shape}.")
    return w
