"""A quadratic bowl of chosen condition number and rotation: where every optimiser is first understood."""

from __future__ import annotations

import numpy as np

from mlsys.core.checks import positive, whole


class Quadratic:
    """f(w) = (w - w_star)^T A (w - w_star) / 2 + f_star, with A symmetric positive semi-definite.

    A : (d, d);  w_star : (d,), zeros by default;  f_star : float
    value(w (d,)) -> float;  gradient(w (d,)) -> (d,);  both in float64.
    Raises ValueError if A is not square and symmetric or w_star does not fit it.
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
        self.w_star = np.zeros(len(self.A)) if w_star is None else np.array(w_star, dtype=float)
        if self.w_star.shape != (len(self.A),):
            raise ValueError(f"w_star must have shape ({len(self.A)},); got {self.w_star.shape}.")
        self.f_star = float(f_star)

    def value(self, w: np.ndarray, batch: object = None) -> float:
        """f at w (d,)."""
        e = w - self.w_star
        return float(e @ self.A @ e / 2 + self.f_star)

    def gradient(self, w: np.ndarray, batch: object = None) -> np.ndarray:
        """A (w - w_star), (d,)."""
        return self.A @ (w - self.w_star)


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
