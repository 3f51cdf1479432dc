"""What can be served: a name, two sizes and a function of arrays. Needs no torch, whatever the model needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Served:
    """What a server serves: predict(x (b, inputs) float32) -> (b, outputs) floats, row by row, of any b >= 1."""

    name: str
    inputs: int
    outputs: int
    predict: Predict = field(repr=False)
