"""What a step-length method may ask: the objective along a half-line, with every question counted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from mlsys.core.algorithm import Objective
from mlsys.core.dispatch import namespace
from mlsys.core.sparse import RowSparse


class LineSearchError(ArithmeticError):
    """No acceptable step length exists, or none was found within the budget."""


class Ray:
    """alpha -> f(x - alpha p) for alpha >= 0, where p is the gradient of f, or of a batch of its terms.

    x, p : (d,);  batch : the terms that p comes from;  searched : the terms that f is evaluated on
    square : |p|**2;  t : the number of the step, for messages
    f_evaluations, g_evaluations : questions asked so far (asking the same alpha again is free)
    terms : terms of the mean that these questions touched, the unit in which batches differ from the whole
    """

    def __init__(
        self, objective: Objective, x: Any, p: Any, batch: Any = None, searched: Any = None, t: int = 1
    ) -> None:
        self.objective, self.x, self.p, self.batch, self.searched, self.t = (
            objective,
            x,
            p,
            batch,
            searched,
            t,
        )
        self.square = float((p * p).sum())
        self.f_evaluations, self.g_evaluations = 0, 1
        self.terms = self._size(batch)
        self._seen: dict[float, float] = {}

    def _size(self, batch: Any) -> int:
        return self.objective.n if batch is None else len(batch)

    def point(self, alpha: float) -> Any:
        """x - alpha p, (d,)."""
        return self.x - alpha * self.p

    def value(self, alpha: float) -> float:
        """f(x - alpha p), inf where it overflows. Raises FloatingPointError if it is NaN."""
        alpha = float(alpha)
        if alpha not in self._seen:
            self.f_evaluations += 1
            self.terms += self._size(self.searched)
            with np.errstate(over="ignore"):  # a step far too long is an answer, not an accident
                f = float(self.objective.value(self.point(alpha) if alpha else self.x, self.searched))
            if math.isnan(f) or (alpha == 0 and math.isinf(f)):
                where = f"x - {alpha:g} * g" if alpha else "x"
                raise FloatingPointError(
                    f"f({where}) is {f} at step {self.t}; the state before it is intact. Start where f is finite, "
                    "or with shorter steps."
                )
            self._seen[alpha] = f
        return self._seen[alpha]

    @property
    def f(self) -> float:
        """f(x)."""
        return self.value(0.0)

    @property
    def known_f(self) -> float | None:
        """f(x) if anyone asked for it."""
        return self._seen.get(0.0)

    def slope(self) -> float:
        """How fast the searched f falls along the ray at alpha = 0: |p|**2, if p is its gradient."""
        if self.searched is self.batch:
            return self.square
        self.g_evaluations += 1
        self.terms += self._size(self.searched)
        return float((self.objective.gradient(self.x, self.searched) * self.p).sum())

    def curvature(self) -> float | None:
        """p^T A p if f is quadratic with Hessian A (it has curvature_along), which costs as much as a gradient."""
        along = getattr(self.objective, "curvature_along", None)
        if along is None:
            return None
        self.g_evaluations += 1
        self.terms += self._size(self.searched)
        return float(along(self.p, self.searched))

    def rises(self) -> bool:
        """Whether f rises along -p, by a central difference of two values, beyond what rounding can feign.

        For where f(x - alpha p) and f(x) are equal numbers: at a minimum, or because p is no gradient.
        """
        eps = float(np.finfo(np.float64 if self.x.itemsize == 8 else np.float32).eps)
        size = float((self.x * self.x).sum()) ** 0.5
        alpha = eps ** (1 / 3) * max(1.0, size) / self.square**0.5
        noise = 100 * eps * abs(self.f)
        return self.value(alpha) - self.value(-alpha) > noise


class StepLength(Protocol):
    """How far to go along a ray. The memory is immutable, like any state."""

    def init(self) -> Any:
        """The memory before the first step."""
        ...

    def length(self, ray: Ray, memory: Any) -> tuple[float, Any]:
        """(alpha >= 0, memory), for a ray whose p is not zero. May raise LineSearchError."""
        ...


def finite_gradient(gradient: Callable, x: Any, batch: Any, t: int) -> Any:
    """gradient(x, batch), or FloatingPointError (in place of numpy's warnings) if an entry is not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        g = gradient(x, batch)
    require_finite(g.values if isinstance(g, RowSparse) else g, t)
    return g


def require_finite(g: Any, t: int) -> None:
    """Raise FloatingPointError unless every entry of the gradient of step t is finite."""
    finite = namespace(g).isfinite(g)
    if not bool(finite.all()):
        flat = finite.reshape(-1)
        first = int(np.argmin(np.asarray(flat.cpu() if hasattr(flat, "cpu") else flat)))
        raise FloatingPointError(
            f"g has {int((~flat).sum())} of {len(flat)} entries that are not finite at step {t}, the first "
            f"g[{first}] = {float(g.reshape(-1)[first])}; the state before it is intact. Often the rate is too "
            "large: lower it, or start where the objective is finite."
        )
