"""Step lengths that look ahead: the best one along the gradient, and the first one that is good enough."""

from __future__ import annotations

from mlsys.core.checks import fraction, positive, whole
from mlsys.optim.ray import LineSearchError, Ray


def _refuse(ray: Ray, alpha: float, why: str) -> LineSearchError:
    change = ray.value(alpha) - ray.f
    return LineSearchError(
        f"{why} at step {ray.t}: with alpha = {alpha:.3g}, f changes by {change:+.3g} from {ray.f:.6g}. Nothing "
        "was changed. If g is the gradient of a batch and f the whole objective, -g need not lead downhill; "
        "if g is meant to be the gradient of f, compare it with (f(w + h e) - f(w - h e)) / 2h; if f is only "
        "steep, start smaller or allow more halvings (budget)."
    )


def _rest(ray: Ray, alpha: float) -> float:
    """0, where f has become flat to the last digit; LineSearchError if it is flat only because p leads uphill."""
    if ray.rises():
        raise _refuse(ray, alpha, "f rises along -g, however short the step,")
    return 0.0


class Backtracking:
    """Armijo's rule: shrink the step until f falls by at least a share c of what the slope promises.

        alpha = start;  while f(w - alpha g) > f(w) - c alpha |g|**2: alpha <- shrink * alpha

    c : float in (0, 1);  shrink : float in (0, 1);  start : float > 0, in units of w**2 / f
    budget : int >= 0, the shrinks allowed a step
    Costs 2 evaluations of f a step and one more a shrink. Where no step changes f by a digit it stays (alpha = 0).
    Where the search is over other terms than the gradient's, |g|**2 is still what is promised: the true slope
    would cost another gradient.
    Raises ValueError if an argument is out of range, LineSearchError if the budget is used up.
    Source: Armijo (1966); Nocedal & Wright (2006), section 3.1, for c = 1e-4. Limit: never tries beyond start.
    """

    def __init__(self, c: float = 1e-4, shrink: float = 0.5, start: float = 1.0, budget: int = 60) -> None:
        self.c, self.shrink = fraction(c=positive(c=c)), fraction(shrink=positive(shrink=shrink))
        self.start, self.budget = positive(start=start), whole(budget=budget)

    def init(self) -> None:
        """Nothing to remember."""

    def length(self, ray: Ray, memory: None) -> tuple[float, None]:
        """(alpha, None)."""
        alpha = self.start
        for left in reversed(range(self.budget + 1)):
            if self.accepts(ray, alpha):
                return (alpha if ray.value(alpha) < ray.f else _rest(ray, alpha)), memory
            alpha *= self.shrink if left else 1
        raise _refuse(
            ray, alpha, f"no step among start = {self.start:g} and its {self.budget} shrinks is accepted"
        )

    def accepts(self, ray: Ray, alpha: float) -> bool:
        """Armijo's condition."""
        limit = ray.f - self.c * alpha * ray.square
        return ray.value(alpha) <= limit


class ExactLineSearch:
    """The step at which f is least along the gradient.

        alpha = argmin over alpha > 0 of f(w - alpha g);  on a quadratic: g^T g / g^T A g

    start : float > 0, in units of w**2 / f, where the first search of an f that is not quadratic begins (later
    ones begin at the last alpha);  budget : int >= 1, the doublings or halvings allowed to enclose a minimum
    Quadratic objectives (those with curvature_along) cost a product with A a step, counted as a gradient;
    others are enclosed by doubling or halving, then searched by Brent's method: 10 to 40 evaluations of f. It
    stays (alpha = 0) where no step changes f by a digit.
    Raises ValueError if an argument is out of range, LineSearchError if f falls nowhere or without end.
    Source: Cauchy (1847); Brent (1973). Limit: successive gradients are orthogonal, so the path zig-zags.
    """

    def __init__(self, start: float = 1.0, budget: int = 60) -> None:
        self.start, self.budget = positive(start=start), whole(1, budget=budget)

    def init(self) -> float:
        """Where the first search begins."""
        return self.start

    def length(self, ray: Ray, memory: float) -> tuple[float, float]:
        """(alpha, alpha)."""
        curvature = ray.curvature()
        alpha = self._search(ray, memory) if curvature is None else self._solve(ray, curvature)
        return alpha, alpha or memory

    def _solve(self, ray: Ray, curvature: float) -> float:
        slope = ray.slope()
        if curvature <= 0 or slope <= 0:
            what = "f does not curve upwards along g" if curvature <= 0 else "-g does not lead downhill"
            raise _refuse(ray, self.start, f"{what} (slope {-slope:.3g}, curvature {curvature:.3g})")
        return slope / curvature

    def _search(self, ray: Ray, middle: float) -> float:
        from scipy.optimize import minimize_scalar

        left = self.budget
        while not ray.value(middle) < ray.f:
            if not left and ray.value(middle) > ray.f:
                raise _refuse(ray, middle, f"no step is downhill after {self.budget} halvings")
            if not left:
                return _rest(ray, middle)
            middle, left = middle / 2, left - 1
        high, left = 2 * middle, self.budget
        while ray.value(high) <= ray.value(middle):
            if not left:
                raise _refuse(
                    ray, high, f"f still falls after {self.budget} doublings; it may have no minimum"
                )
            middle, high, left = high, 2 * high, left - 1
        return float(minimize_scalar(ray.value, bracket=(0.0, middle, high), method="brent").x)
