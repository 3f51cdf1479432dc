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


NAMES = ("digits-mlp", "wide-mlp:WIDTH", "conv-net:WIDTH")  # of mlsys.inference.serve.models
MAX_WIDTH = 16384


def named(name: str) -> tuple[str, int | None]:
    """The kind and the width: wide-mlp:2048 -> ("wide-mlp", 2048); None for a width that is not given.

    Raises ValueError for what is no name of NAMES.
    """
    kind, colon, width = name.partition(":")
    wide = f"{kind}:WIDTH" in NAMES
    fits = width.isascii() and width.isdigit() and len(width) < 9 and 1 <= int(width) <= MAX_WIDTH
    if (kind not in NAMES and not wide) or (colon and not (wide and fits)):
        raise ValueError(f"no model {name!r}. There is: {', '.join(NAMES)}, a WIDTH from 1 to {MAX_WIDTH}.")
    return kind, int(width) if colon else None
