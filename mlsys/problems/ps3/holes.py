"""A plain with a hole for each weight: who is thrown out of a hole gets no gradient any more."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import Unfit, array


class Holes:
    """f(w) = 1 - mean over j of max(0, 1 - a_j w_j**2)**2, with gradients whose noise is given for each step.

    start (d,) : where every run begins, a copy each time;  gradient(w, t) : that of step t = 0, 1, ...;  loss(w) : f
    """

    def __init__(self, a: np.ndarray, start: np.ndarray, noise: np.ndarray, most: int) -> None:
        self._a, self._start, self._noise, self._most = a, start, noise, most
        self.asked = 0

    @property
    def start(self) -> np.ndarray:
        """The weights at which every run begins, (d,)."""
        return self._start.copy()

    def gradient(self, w: Any, t: Any) -> np.ndarray:
        """At w (d,), with the noise of step t. Raises Unfit for a step that is none, or after too many calls."""
        w, steps = array(w, "the first argument of gradient", self._a.shape), len(self._noise)
        if not 0 <= int(t) < steps:
            raise Unfit(
                f"gradient was asked for step {int(t)}; the steps are 0 to {steps - 1}, in every run."
            )
        self.asked += 1
        if self.asked > self._most:
            raise Unfit(f"gradient was called more than {self._most} times.")
        inside = np.maximum(0.0, 1 - self._a * w * w)
        return 4 * self._a * w * inside * (1 + self._noise[int(t)]) / len(w)

    def loss(self, w: Any) -> float:
        """f at w (d,): 0 where every weight is at the bottom of its hole, 1 where none is in it."""
        w = array(w, "the argument of loss", self._a.shape)
        return float(1 - np.mean(np.maximum(0.0, 1 - self._a * w * w) ** 2))


def holes(seed: int, d: int, steps: int, most: int) -> Holes:
    """Holes of different widths, with a start inside each of them."""
    return Holes(*numbers(np.random.default_rng(seed), d, steps), most)


def numbers(rng: np.random.Generator, d: int, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """a (d,), start (d,) and noise (steps, d) of such holes."""
    a = 10 ** rng.uniform(-0.3, 0.3, size=d)
    start = rng.choice([-1.0, 1.0], size=d) * rng.uniform(0.2, 0.4, size=d) / np.sqrt(a)
    return a, start, 0.3 * rng.normal(size=(steps, d))
