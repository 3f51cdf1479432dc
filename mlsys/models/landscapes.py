"""Landscapes with a known minimum that no quadratic has: a curved valley, and a plateau below a cliff."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlsys.core.checks import positive, whole
from mlsys.models.points import point


class Rosenbrock:
    """f(w) = sum over i < d - 1 of b (w[i+1] - w[i]**2)**2 + (1 - w[i])**2: a curved, flat-bottomed valley.

    d : int >= 2;  b : float > 0, how steep the valley's walls are (100 in the paper)
    value(w (d,)) -> float;  gradient(w (d,)) -> (d,), in the dtype of w
    The minimum is f_star = 0 at w_star = (1, …, 1); for 4 <= d <= 7 there is a second, local one near
    (-1, 1, …, 1). start is the paper's (-1.2, 1), repeated.
    Raises ValueError if d < 2 or b <= 0. Source: Rosenbrock (1960).
    """

    n = 1
    f_star = 0.0

    def __init__(self, d: int = 2, b: float = 100.0) -> None:
        self.d, self.b = whole(2, d=d), positive(b=b)
        self.w_star = np.ones(self.d)
        self.start = np.where(np.arange(self.d) % 2 == 0, -1.2, 1.0)

    def value(self, w: np.ndarray, batch: object = None) -> float:
        """f at w (d,)."""
        w = point(w, self.d)
        return float(np.sum(self.b * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2))

    def gradient(self, w: np.ndarray, batch: object = None) -> np.ndarray:
        """The gradient at w, (d,): each coordinate has a part as the floor and a part as the wall."""
        w = point(w, self.d)
        off = w[1:] - w[:-1] ** 2
        g = np.zeros_like(w)
        g[:-1] = -4 * self.b * w[:-1] * off - 2 * (1 - w[:-1])
        g[1:] += 2 * self.b * off
        return g


class Plateau:
    """f(w) = sum over j of 1 - exp(-u_j**2 / 2) + steepness * max(0, |u_j| - edge)**2 / 2, u = w / scales.

    A cliff outside |u| > edge, a plateau inside whose slope is u exp(-u**2 / 2), and a well of depth 1 a
    coordinate around the minimum f_star = 0 at w_star = 0. Not convex: beyond |u| = 1 the well curves down.

    scales : (d,) floats > 0, the width of each coordinate, in units of w;  edge, steepness : floats > 0
    value(w (d,)) -> float;  gradient(w (d,)) -> (d,), in the dtype of w
    start : one width up the cliff. From there the first gradient is 1000 and the plateau's slope near the
    edge 2e-5: a step divided by *all* past gradients never crosses it. The scales differ so that no rate is
    lucky enough to jump from the cliff into both wells at once.
    Raises ValueError if an argument is not positive. Source: ours, made for the chapter.
    """

    n = 1
    f_star = 0.0

    def __init__(
        self, scales: Sequence[float] = (1.0, 4.0), edge: float = 5.0, steepness: float = 1000.0
    ) -> None:
        self.scales = np.array([positive(scales=s) for s in scales])
        self.edge, self.steepness = positive(edge=edge), positive(steepness=steepness)
        self.w_star = np.zeros(len(self.scales))
        self.start = (self.edge + 1) * self.scales

    def value(self, w: np.ndarray, batch: object = None) -> float:
        """f at w (d,)."""
        u = point(w, len(self.scales)) / self.scales
        over = np.maximum(0, abs(u) - self.edge)
        return float(np.sum(-np.expm1(-u * u / 2) + self.steepness * over**2 / 2))

    def gradient(self, w: np.ndarray, batch: object = None) -> np.ndarray:
        """The gradient at w, (d,)."""
        u = point(w, len(self.scales)) / self.scales
        over = np.maximum(0, abs(u) - self.edge)
        g = (u * np.exp(-u * u / 2) + self.steepness * over * np.sign(u)) / self.scales
        return g.astype(w.dtype, copy=False)
