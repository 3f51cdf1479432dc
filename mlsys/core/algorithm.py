"""An Algorithm says how to move; `iterate` is the only loop of the course."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

import numpy as np

from mlsys.core.checks import whole

State = TypeVar("State")
Info = TypeVar("Info", covariant=True)


class Algorithm(Protocol[State, Info]):
    """Two pure functions; the state is an immutable record whose first field `x` is the current point."""

    def init(self, x: Any) -> State:
        """The state before the first step at the point x."""
        ...

    def step(self, rng: np.random.Generator, state: State) -> tuple[State, Info]:
        """The state after one more step, and what a plot or a diagnostic may want to know of it."""
        ...


class Objective(Protocol):
    """f(w) = mean of n terms; `batch` (indices of terms) restricts the mean, None takes all of them."""

    n: int

    def value(self, w: Any, batch: Any = None) -> float:
        """f at w."""
        ...

    def gradient(self, w: Any, batch: Any = None) -> Any:
        """The gradient of f at w, of the shape of w."""
        ...


def iterate(
    algorithm: Algorithm[State, Info],
    x0: Any,
    rng: np.random.Generator,
    steps: int,
    progress: bool | None = None,
) -> Iterator[tuple[State, Info]]:
    """Yield (state, info) after each of `steps` steps from x0.

    progress : True or False shows or hides a bar; None shows one on a terminal once 2 s have passed.
    Raises ValueError if steps < 0, before the first step.
    """
    steps = whole(steps=steps)

    def run() -> Iterator[tuple[State, Info]]:
        state = algorithm.init(x0)
        for _ in _shown(range(steps), progress):
            state, info = algorithm.step(rng, state)
            yield state, info

    return run()


def _shown(indices: range, progress: bool | None) -> Iterator[int]:
    """The indices, with rich's bar where one is wanted; nothing is imported for short, silent work."""
    import sys
    import time

    started, bar = time.monotonic(), None
    wanted = sys.stderr.isatty() if progress is None else progress
    try:
        for i in indices:
            if wanted and bar is None and (progress or time.monotonic() - started > 2):
                from rich.console import Console
                from rich.progress import Progress

                bar = Progress(console=Console(stderr=True), transient=True)
                task = bar.add_task("steps", total=len(indices), completed=i)
                bar.start()
            yield i
            if bar is not None:
                bar.update(task, completed=i + 1)
    finally:
        if bar is not None:
            bar.stop()
