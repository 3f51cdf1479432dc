"""Linear and logistic regression on dense or sparse features: means of n terms, so batches make sense."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import scipy.optimize
import scipy.sparse
from scipy.special import expit

from mlsys.core.checks import nonnegative
from mlsys.core.sparse import RowSparse
from mlsys.models.points import point

DENSE_LIMIT = 3000  # features up to which the curvature matrix (d, d) is formed: 72 MB in float64


class LinearModel:
    """f(w) = mean over i of loss(x_i . w, y_i) + l2 * |w|**2 / 2: what the two regressions share.

    X : (n, d) floats, a numpy array or a scipy.sparse matrix (kept as CSR);  y : (n,);  l2 : float >= 0
    batch : (b,) indices of terms, repeats allowed, None for all n
    Computed in the wider dtype of X and w, returned in that of w. X and y are not copied and not changed.
    Raises TypeError or ValueError if X, y, l2 or w do not fit.
    """

    curvature_bound: float  # of loss(z, y) in z

    def __init__(self, X: Any, y: np.ndarray, l2: float = 0.0) -> None:
        self.X = X.tocsr() if scipy.sparse.issparse(X) else np.asarray(X)
        if self.X.ndim != 2 or self.X.dtype.kind != "f":
            raise TypeError(f"X must be (n, d) floats; got shape {self.X.shape}, dtype {self.X.dtype}.")
        self.n, self.d = self.X.shape
        self.y = np.asarray(y).astype(self.X.dtype, copy=False)
        if self.y.shape != (self.n,) or not self.n:
            raise ValueError(f"y must have shape ({self.n},), one entry a row of X; got {self.y.shape}.")
        self.l2 = nonnegative(l2=l2)

    def loss(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The loss of each prediction z, (b,)."""
        raise NotImplementedError

    def slope(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """d loss / d z, (b,)."""
        raise NotImplementedError

    def predict(self, w: np.ndarray, X: Any = None) -> np.ndarray:
        """X w, (n,), for these features or others."""
        return (self.X if X is None else X) @ point(w, self.d)

    def _terms(self, batch: Any) -> tuple[Any, np.ndarray]:
        return (self.X, self.y) if batch is None else (self.X[batch], self.y[batch])

    def value(self, w: np.ndarray, batch: Any = None) -> float:
        """f at w (d,)."""
        X, y = self._terms(batch)
        return float(np.mean(self.loss(X @ point(w, self.d), y))) + self.l2 * float(w @ w) / 2

    def gradient(self, w: np.ndarray, batch: Any = None) -> np.ndarray:
        """X^T slope / b + l2 w, (d,)."""
        X, y = self._terms(batch)
        g = X.T @ self.slope(X @ point(w, self.d), y) / len(y)
        return (g + self.l2 * w if self.l2 else g).astype(w.dtype, copy=False)

    def row_sparse_gradient(self, w: np.ndarray, batch: Any = None) -> RowSparse:
        """The same gradient as the entries of the features that occur in the batch, all others being zero.

        Raises ValueError if l2 > 0, whose gradient is nowhere zero.
        """
        if self.l2:
            raise ValueError(
                f"l2 must be 0 for a row-sparse gradient; got {self.l2!r}, which moves every weight at every "
                "step. Use gradient(w, batch), or build the objective with l2=0."
            )
        X, y = self._terms(batch)
        slope = self.slope(X @ point(w, self.d), y) / len(y)
        if scipy.sparse.issparse(X):
            rows, place = np.unique(X.indices, return_inverse=True)
            pushed = X.data * np.repeat(slope, np.diff(X.indptr))
            values = np.bincount(place, weights=pushed, minlength=len(rows))
        else:
            rows = np.flatnonzero(np.any(X != 0, axis=0))
            values = X[:, rows].T @ slope
        return RowSparse(rows, values.astype(w.dtype, copy=False), (self.d,))

    @cached_property
    def _spectrum(self) -> tuple[float, float]:
        """The extreme eigenvalues of X^T X / n; 0 for the smallest where it is too dear to know."""
        X: Any = self.X.astype(float)
        if min(self.n, self.d) <= DENSE_LIMIT:
            small: Any = X @ X.T if self.n < self.d else X.T @ X
            values = np.linalg.eigvalsh(small.toarray() if scipy.sparse.issparse(small) else small)
            return float(values[-1]) / self.n, max(0.0, float(values[0])) / self.n * (self.n >= self.d)
        top = scipy.sparse.linalg.svds(X, k=1, return_singular_vectors=False, v0=np.ones(min(X.shape)))
        return float(top[0]) ** 2 / self.n, 0.0

    @property
    def L(self) -> float:
        """A bound on f's curvature in any direction; gradient descent is stable at rates below 2 / L."""
        return self.curvature_bound * self._spectrum[0] + self.l2

    @property
    def mu(self) -> float:
        """A lower bound on f's curvature in any direction."""
        return self.l2

    @property
    def f_star(self) -> float:
        """The minimum of f."""
        return self.value(self.w_star)

    @cached_property
    def w_star(self) -> np.ndarray:
        """A minimiser of f, (d,) float64."""
        raise NotImplementedError


class LeastSquares(LinearModel):
    """f(w) = mean over i of (x_i . w - y_i)**2 / 2 + l2 * |w|**2 / 2.

    As LinearModel;  y : (n,) real targets
    L, mu : the extreme curvatures, exact where the smaller side of X is at most 3000 (else mu = l2)
    w_star, f_star : by a least-squares solver in float64, the shortest minimiser if there are several
    """

    curvature_bound = 1.0

    def loss(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(z - y)**2 / 2."""
        return (z - y) ** 2 / 2

    def slope(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """z - y."""
        return z - y

    def curvature_along(self, p: np.ndarray, batch: Any = None) -> float:
        """p^T (X^T X / b + l2 I) p, the same everywhere: f is quadratic."""
        X, _ = self._terms(batch)
        q = X @ p
        return float(q @ q) / len(q) + self.l2 * float(p @ p)

    @property
    def mu(self) -> float:
        """The smallest curvature."""
        return self._spectrum[1] + self.l2

    @cached_property
    def w_star(self) -> np.ndarray:
        """A minimiser of f, (d,) float64."""
        X, y = self.X.astype(float), self.y.astype(float)
        if scipy.sparse.issparse(X):
            damp = np.sqrt(self.l2 * self.n)
            return scipy.sparse.linalg.lsmr(X, y, damp=damp, atol=1e-14, btol=1e-14, maxiter=10 * self.d)[0]
        padded = np.vstack([X, np.sqrt(self.l2 * self.n) * np.eye(self.d)]) if self.l2 else X
        return np.linalg.lstsq(padded, np.pad(y, (0, len(padded) - self.n)), rcond=None)[0]


class Logistic(LinearModel):
    """f(w) = mean over i of log(1 + exp(x_i . w)) - y_i x_i . w + l2 * |w|**2 / 2.

    As LinearModel;  y : (n,) labels, each 0 or 1
    L, mu : bounds on the curvature, spectrum(X^T X / n) / 4 + l2 and l2
    w_star, f_star : by Newton's method in float64, for l2 > 0 (without it, separable data have no minimum)
    """

    curvature_bound = 0.25

    def __init__(self, X: Any, y: np.ndarray, l2: float = 0.0) -> None:
        super().__init__(X, y, l2)
        if not np.isin(self.y, (0, 1)).all():
            wrong = self.y[~np.isin(self.y, (0, 1))][0]
            raise ValueError(f"y must hold labels 0 and 1; got {wrong:g}. For -1 and 1 pass (y + 1) / 2.")

    def loss(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """log(1 + exp(z)) - y z, without overflow."""
        return np.logaddexp(0, z) - y * z

    def slope(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """sigmoid(z) - y."""
        return expit(z) - y

    def accuracy(self, w: np.ndarray) -> float:
        """The share of labels that the sign of x . w tells."""
        return float(np.mean((self.predict(w) > 0) == self.y))

    @cached_property
    def w_star(self) -> np.ndarray:
        """The minimiser of f, (d,) float64. Raises ValueError if l2 = 0."""
        if not self.l2:
            raise ValueError("l2 must be > 0 to know the minimum; got 0. On separable data f has none.")

        def hessian_product(w: np.ndarray, v: np.ndarray) -> np.ndarray:
            p = expit(self.X @ w)
            return self.X.T @ (p * (1 - p) * (self.X @ v)) / self.n + self.l2 * v

        found = scipy.optimize.minimize(
            self.value, np.zeros(self.d), jac=self.gradient, hessp=hessian_product, method="trust-ncg",
            options={"gtol": 1e-10 * max(1.0, np.sqrt(self.L)), "maxiter": 1000},
        )  # fmt: skip
        return found.x
