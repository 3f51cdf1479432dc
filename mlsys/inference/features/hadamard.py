"""The Walsh-Hadamard transform: the readable butterfly, and two small matrix products, which a CPU does faster."""

from __future__ import annotations

import numpy as np

from mlsys.core.checks import whole


def hadamard(n: int, dtype: type = np.float64) -> np.ndarray:
    """Sylvester's matrix of +1 and -1, (n, n), n a power of two: H_1 = [1], H_2n = [[H_n, H_n], [H_n, -H_n]]."""
    H: np.ndarray = np.ones((1, 1), dtype)
    for _ in range(_power(n)):
        H = np.block([[H, H], [H, -H]])
    return H


def butterfly(X: np.ndarray) -> np.ndarray:
    """X H for the rows of X (n, d), d a power of two: log2(d) passes of sums and differences, d * log2(d) additions."""
    n, d = X.shape
    half = 1
    for _ in range(_power(d)):
        pairs = X.reshape(n, d // (2 * half), 2, half)
        X = np.stack([pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]], axis=2).reshape(n, d)
        half *= 2
    return X


class Transform:
    """X H as two products: H_ab is the Kronecker product of H_a and H_b, so a row as (a, b) becomes H_a x H_b.

    n * d * (a + b) multiply-adds, a and b about sqrt(d): more than the butterfly's, but in two passes of full speed.
    """

    def __init__(self, d: int, dtype: type = np.float64) -> None:
        power = _power(d)
        self.left = hadamard(1 << (power - power // 2), dtype)
        self.right = hadamard(1 << power // 2, dtype)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """X (n, d) -> X H (n, d), a new array."""
        a, b = len(self.left), len(self.right)
        return (self.left @ (X.reshape(-1, b) @ self.right).reshape(-1, a, b)).reshape(X.shape)


def _power(n: int) -> int:
    if whole(1, n=n) & (n - 1):
        raise ValueError(f"n must be a power of two; got {n}. Pad with zeros to {1 << n.bit_length()}.")
    return n.bit_length() - 1
