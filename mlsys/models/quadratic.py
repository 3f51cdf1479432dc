"""A quadratic bowl of chosen condition number and rotation: where every optimiser is first understood."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from mlsys.core.checks import positive, real, whole
from mlsys.models.points import point


class Quadratic:
    """f(w) = (w - w_star)^T A (w - w_star) / 2 + f_star, with A symmetric positive semi-definite.

    A : (d, d);  w_star : (d,), zeros by default;  f_star : float
    value(w (d,)) -> float;  gradient(w (d,)) -> (d,), computed in float64 and rounded to the dtype of w
    L, mu : the largest and the smallest curvature, the extreme eigenvalues of A
    Raises ValueError if A is not square, symmetric and positive semi-definite, or w_star does not fit it.
    """

    n = 1

    def __init__(self, A: np.ndarray, w_star: np.ndarray | None = None, f_star: float = 0.0) -> None:
        self.A = np.array(A, dtype=float)
        if self.A.ndim != 2 or self.A.shape[0] != self.A.shape[1]:
            raise ValueError(f"A must be square; got shape {self.A.shape}.")
        worst = np.unravel_index(np.argmax(abs(self.A - self.A.T)), self.A.shape)
        i, j = int(worst[0]), int(worst[1])
        if not np.allclose(self.A, self.A.T, rtol=1e-10, atol=1e-12):
            raise ValueError(
                f"A must be symmetric; A[{i},{j}]={self.A[i, j]:g} but A[{j},{i}]={self.A[j, i]:g}. "
                "Pass (A + A.T) / 2."
            )
        if self.mu < -1e-10 * max(abs(self.L), 1):
            raise ValueError(
                f"A must have no negative eigenvalue; its smallest is {self.mu:g}, so f has no minimum. "
                "Pass A + c * np.eye(d) with a larger c."
            )
        self.w_star = np.zeros(len(self.A)) if w_star is None else np.array(w_star, dtype=float)
        if self.w_star.shape != (len(self.A),):
            raise ValueError(f"w_star must have shape ({len(self.A)},); got {self.w_star.shape}.")
        self.f_star = real(f_star=f_star)

    @cached_property
    def _curvatures(self) -> np.ndarray:
        return np.linalg.eigvalsh(self.A)

    @property
    def L(self) -> float:
        """The largest eigenvalue of A: gradient descent is stable at rates below 2 / L."""
        return float(self._curvatures[-1])

    @property
    def mu(self) -> float:
        """The smallest eigenvalue of A: L / mu is the condition number."""
        return float(self._curvatures[0])

    def value(self, w: np.ndarray, batch: object = None) -> float:
        """f at w (d,)."""
        e = point(w, len(self.A)) - self.w_star
        return float(e @ self.A @ e / 2 + self.f_star)

    def gradient(self, w: np.ndarray, batch: object = None) -> np.ndarray:
        """A (w - w_star), (d,)."""
        return (self.A @ (point(w, len(self.A)) - self.w_star)).astype(w.dtype, copy=False)

    def curvature_along(self, p: np.ndarray, batch: object = None) -> float:
        """p^T A p, the same everywhere: f(w + a p) = f(w) + a g^T p + a**2 p^T A p / 2 exactly."""
        return float(p @ self.A @ p)


def conditioned(kappa: float, d: int = 2, angle: float = 0.0) -> Quadratic:
    """A bowl of condition number kappa: eigenvalues spaced evenly in the logarithm from 1 to kappa.

    angle : float, radians, turns the axes by that much in the plane of each pair of neighbouring coordinates
    Raises ValueError if kappa < 1 or d < 1.
    """
    if positive(kappa=kappa) < 1:
        raise ValueError(f"kappa must be >= 1; got {kappa!r}. It is the ratio of the extreme curvatures.")
    whole(1, d=d)
    turn = np.eye(d)
    for i in range(d - 1):
        plane = np.eye(d)
        plane[i : i + 2, i : i + 2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        turn = turn @ plane
    A = turn @ np.diag(np.geomspace(1, kappa, d)) @ turn.T
    return Quadratic((A + A.T) / 2)
