"""Independent runs on all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from joblib import Parallel, delayed


def parallel(function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
    """function(*arguments) of each, in order, one process a core; where there is one core, in this process."""
    return Parallel(n_jobs=-1, return_as="generator")(delayed(function)(*each) for each in arguments)
