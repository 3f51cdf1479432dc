"""Random features whose products are unbiased for the Gaussian kernel: independent, orthogonal, and Fastfood's.

All three draw frequencies w whose law is N(0, 2 * gamma * I), one at a time, and map

    z(x) = sqrt(2 / D) * [cos(w_1 x) … cos(w_{D/2} x), sin(w_1 x) … sin(w_{D/2} x)]
    E[z(x) . z(y)] = exp(-gamma * |x - y|**2)

They differ in how the frequencies hang together, and in what W x costs. A pair of cos and sin has less variance than
two cosines of random phases (Sutherland & Schneider 2015), and needs half as many frequencies.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from mlsys.core.checks import positive, whole
from mlsys.inference.features.hadamard import Transform, hadamard


class Features(ABC):
    """A random map x (d,) -> z (D,). Built from a random generator, and nothing has to be fitted.

    piece : numbers worked on at once, so few that they stay in the second cache from first product to cosine
    """

    piece = 1 << 15

    def __init__(self, d: int, D: int, gamma: float, dtype: type = np.float64) -> None:
        self.d, self.D, self.gamma = whole(1, d=d), whole(2, D=D), positive(gamma=gamma)
        if D % 2:
            raise ValueError(f"D must be even, a cosine and a sine for each frequency; got {D}.")
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise TypeError(f"dtype must be float32 or float64; got {self.dtype}.")

    @abstractmethod
    def project(self, X: np.ndarray) -> np.ndarray:
        """X (n, d) -> X W^T (n, D/2)."""

    @abstractmethod
    def frequencies(self) -> np.ndarray:
        """W (D/2, d), written out."""

    @abstractmethod
    def multiply_adds(self) -> int:
        """Multiply-adds of W x for one x."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes of what has to be kept."""

    def transform(self, X: np.ndarray) -> np.ndarray:
        """X (n, d) -> z (n, D) in the dtype that the map was built with.

        Raises ValueError if X is not (n, d) or holds what is not finite.
        """
        X = np.asarray(X, self.dtype)
        if X.ndim != 2 or X.shape[1] != self.d:
            raise ValueError(f"X must be (n, {self.d}); got {X.shape}.")
        if not np.isfinite(X).all():
            raise ValueError("X must be finite; it holds NaN or infinity. Impute or drop those rows first.")
        half, out = self.D // 2, np.empty((len(X), self.D), self.dtype)
        rows = max(1, self.piece // max(self.d, half))
        for start in range(0, len(X), rows):
            angles, z = self.project(X[start : start + rows]), out[start : start + rows]
            np.cos(angles, out=z[:, :half])
            np.sin(angles, out=z[:, half:])
            z *= self.dtype.type(np.sqrt(2 / self.D))
        return out


class Dense(Features):
    """Frequencies as a matrix, D/2 * d multiply-adds a row. Made by `rff` and `orthogonal`."""

    piece = 1 << 22  # the matrix, far larger than any cache, is read once a piece

    def __init__(self, d: int, D: int, gamma: float, unit: np.ndarray, dtype: type = np.float64) -> None:
        """unit : (D/2, d), frequencies for gamma = 1/2"""
        super().__init__(d, D, gamma, dtype)
        self._W = (np.sqrt(2 * self.gamma) * unit).astype(dtype)

    def project(self, X: np.ndarray) -> np.ndarray:
        return X @ self._W.T

    def frequencies(self) -> np.ndarray:
        return self._W.copy()

    def multiply_adds(self) -> int:
        return self._W.size

    @property
    def nbytes(self) -> int:
        return self._W.nbytes


def rff(d: int, D: int, gamma: float, rng: np.random.Generator, dtype: type = np.float64) -> Dense:
    """Random Fourier features: all frequencies independent. Source: Rahimi & Recht (2007)."""
    return Dense(d, D, gamma, rng.standard_normal((whole(2, D=D) // 2, whole(1, d=d))), dtype)


def orthogonal(d: int, D: int, gamma: float, rng: np.random.Generator, dtype: type = np.float64) -> Dense:
    """Orthogonal random features: every d frequencies stand at right angles, their lengths as if independent.

        W = S Q, Q a uniformly random rotation, S_ii drawn as the length of a Gaussian vector (chi with d degrees)

    Frequencies that keep apart tell more: the estimate's variance is below rff's, by much for points that are near
    (a sixth at |x - y| = 0.5 / sqrt(2 * gamma) in 16 dimensions) and by little for points that are far.
    Source: Yu, Suresh, Choromanski, Holtmann-Rice & Kumar (2016).
    """
    half, d = whole(2, D=D) // 2, whole(1, d=d)
    blocks = []
    for start in range(0, half, d):
        Q, R = np.linalg.qr(rng.standard_normal((d, d)))
        Q *= np.sign(np.diag(R))  # LAPACK's choice of signs is not random; this makes Q uniform
        length = np.sqrt(rng.chisquare(d, d))
        blocks.append((length[:, None] * Q)[: half - start])
    return Dense(d, D, gamma, np.concatenate(blocks), dtype)


class Fastfood(Features):
    """Fastfood: frequencies from diagonals, a permutation and two Walsh-Hadamard transforms; O(d) kept a block.

        W = sqrt(2 * gamma / d) * S H G P H B, blocks of d (the next power of two; x is padded with zeros)
        B : random signs;  P : a random permutation;  G : standard normal;  S_ii = chi_d / |G|

    S gives each frequency the length of a Gaussian vector: without it all rows of a block had one length. Each
    frequency alone is then exactly Gaussian, so that the kernel's estimate is unbiased.
    Source: Le, Sarlos & Smola (2013).
    """

    def __init__(
        self, d: int, D: int, gamma: float, rng: np.random.Generator, dtype: type = np.float64
    ) -> None:
        super().__init__(d, D, gamma, dtype)
        self._padded = n = 1 << (self.d - 1).bit_length()
        blocks = -(-(self.D // 2) // n)
        self._signs: np.ndarray = rng.choice([-1.0, 1.0], (blocks, n)).astype(dtype)
        self._order = np.stack([rng.permutation(n) for _ in range(blocks)])
        normal = rng.standard_normal((blocks, n))
        length = np.sqrt(rng.chisquare(n, (blocks, n))) / np.linalg.norm(normal, axis=1, keepdims=True)
        self._normal: np.ndarray = normal.astype(dtype)
        self._scale: np.ndarray = (np.sqrt(2 * self.gamma / n) * length).astype(dtype)
        self._hadamard = Transform(n, dtype)

    def project(self, X: np.ndarray) -> np.ndarray:
        n, half = self._padded, self.D // 2
        if self.d < n:
            X = np.pad(X, ((0, 0), (0, n - self.d)))
        parts = []
        for signs, order, normal, scale in zip(
            self._signs, self._order, self._normal, self._scale, strict=True
        ):
            Z = self._hadamard(X * signs).take(order, axis=1)
            Z *= normal
            Z = self._hadamard(Z)
            Z *= scale
            parts.append(Z)
        return (parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1))[:, :half]

    def frequencies(self) -> np.ndarray:
        H = hadamard(self._padded)
        rows = []
        for signs, order, normal, scale in zip(
            self._signs, self._order, self._normal, self._scale, strict=True
        ):
            P = np.eye(self._padded)[order]
            rows.append(np.diag(scale) @ H @ np.diag(normal) @ P @ H @ np.diag(signs))
        return np.concatenate(rows)[: self.D // 2, : self.d]

    def multiply_adds(self) -> int:
        """As computed: two transforms by two products each, and three diagonals."""
        sides = len(self._hadamard.left) + len(self._hadamard.right)
        return len(self._signs) * self._padded * (2 * sides + 3)

    @property
    def nbytes(self) -> int:
        kept = (self._signs, self._order, self._normal, self._scale)
        return sum(a.nbytes for a in (*kept, self._hadamard.left, self._hadamard.right))


def fastfood(d: int, D: int, gamma: float, rng: np.random.Generator, dtype: type = np.float64) -> Fastfood:
    """As `rff` and `orthogonal` are called."""
    return Fastfood(d, D, gamma, rng, dtype)


KINDS = {"rff": rff, "orthogonal": orthogonal, "fastfood": fastfood}
