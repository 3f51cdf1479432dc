"""Random numbers are an argument everywhere; this is where they come from."""

from __future__ import annotations

import hashlib

import numpy as np

from mlsys.core.checks import whole


def generator(seed: int, *names: str) -> np.random.Generator:
    """An independent stream for every (seed, names): the same words give the same numbers on every machine.

    seed : int >= 0;  names : what the numbers are for, such as generator(0, "demo", "student-3")
    Raises TypeError or ValueError if seed is not a whole number >= 0.
    """
    digest = hashlib.sha256("\x1f".join(names).encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 32, 4)] if names else []
    return np.random.default_rng(np.random.SeedSequence([whole(seed=seed), *words]))
