"""What theory says of gradient descent and its step lengths, on problems where it says it exactly."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from mlsys.core import generator, iterate
from mlsys.models import LeastSquares, Logistic, Rosenbrock, conditioned
from mlsys.optim import (
    Backtracking,
    ExactLineSearch,
    Fixed,
    Polyak,
    PolyakBound,
    PolyakEstimate,
    Ray,
    gradient_descent,
    gradient_rule,
    momentum,
    sgd,
)
from mlsys.optim.polyak import BoundMemory

RNG = generator(0, "tests", "laws")


def path(algorithm, x0, steps) -> tuple[np.ndarray, list]:
    """The points, x0 first, and the infos."""
    run = list(iterate(algorithm, x0, generator(0), steps))
    return np.array([x0, *(state.x for state, _ in run)]), [info for _, info in run]


def logistic(l2: float = 1e-2) -> Logistic:
    rng = generator(1, "logistic")
    X = rng.standard_normal((80, 4)) * [1, 3, 0.5, 2]
    return Logistic(X, (X[:, 0] + rng.standard_normal(80) > 0).astype(float), l2)


@pytest.mark.parametrize("kappa", [2.0, 10.0, 100.0])
def test_the_best_fixed_rate_contracts_by_kappa_minus_1_over_kappa_plus_1(kappa: float) -> None:
    """From a start with equal shares of the extreme directions, each step contracts by exactly that."""
    f = conditioned(kappa, 2, angle=0.7)
    directions = np.linalg.eigh(f.A)[1]
    points, _ = path(gradient_descent(f, 2 / (f.L + f.mu)), directions.sum(1), 30)
    distance = np.linalg.norm(points - f.w_star, axis=1)
    np.testing.assert_allclose(distance[1:] / distance[:-1], (kappa - 1) / (kappa + 1), rtol=1e-9)


def test_a_rate_above_2_over_L_diverges_and_one_below_converges() -> None:
    f = conditioned(20, 3, 0.3)
    for factor, falls in ((1.98, True), (2.02, False)):
        points, _ = path(gradient_descent(f, factor / f.L), np.ones(3), 200)
        assert (f.value(points[-1]) < f.value(points[0])) == falls


def test_momentum_converges_by_root_kappa() -> None:
    """Polyak's optimal heavy ball: error ~ ((root kappa - 1) / (root kappa + 1))**t, up to a factor of t."""
    f = conditioned(100, 2, 0.5)
    root = np.sqrt(f.L / f.mu)
    rule = momentum(eta=(2 / (np.sqrt(f.L) + np.sqrt(f.mu))) ** 2, mu=((root - 1) / (root + 1)) ** 2)
    points, _ = path(sgd(f, rule), np.ones(2), 120)
    slope = np.polyfit(np.arange(40, 121), np.log(np.linalg.norm(points[40:], axis=1)), 1)[0]
    assert slope == pytest.approx(np.log((root - 1) / (root + 1)), abs=0.02)
    assert slope < 5 * np.log((f.L / f.mu - 1) / (f.L / f.mu + 1))


def test_a_fixed_step_length_is_plain_sgd_on_everything() -> None:
    f = Rosenbrock(3)
    one, _ = path(gradient_descent(f, 1e-3), f.start, 50)
    two, _ = path(sgd(f, gradient_rule(1e-3)), f.start, 50)
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, path(gradient_descent(f, Fixed(1e-3)), f.start, 50)[0])


@pytest.mark.parametrize("make", [lambda: conditioned(200, 3, 0.4), logistic], ids=["quadratic", "logistic"])
def test_polyak_never_moves_away_from_the_minimum(make) -> None:
    """|w' - w*|**2 <= |w - w*|**2 - (f - f*)**2 / |g|**2 on convex f."""
    f = make()
    points, infos = path(gradient_descent(f, Polyak(f.f_star)), 3 * np.ones(len(f.w_star)), 100)
    square = np.sum((points - f.w_star) ** 2, axis=1)
    gain = np.array([(i.f - f.f_star) ** 2 / (i.g @ i.g) if i.alpha else 0.0 for i in infos])
    assert (square[1:] <= square[:-1] - gain + 1e-12).all()
    assert f.value(points[-1]) - f.f_star < 1e-3 * (f.value(points[0]) - f.f_star)


def test_polyak_step_reaches_f_star_on_the_linear_model() -> None:
    f = logistic()
    _, (info,) = path(gradient_descent(f, Polyak(f.f_star)), np.ones(4), 1)
    assert info.f - info.alpha * (info.g @ info.g) == pytest.approx(f.f_star, rel=1e-12)


def test_an_estimate_too_high_stops_at_it_and_one_too_low_overshoots() -> None:
    f = conditioned(10, 2, 0.4)
    high, infos = path(gradient_descent(f, PolyakEstimate(0.5)), np.array([3.0, 1.0]), 200)
    assert f.value(high[-1]) == pytest.approx(0.5, rel=1e-9)
    assert all(info.alpha >= 0 for info in infos)
    low, _ = path(gradient_descent(f, PolyakEstimate(-1.0)), np.array([3.0, 1.0]), 200)
    values = [f.value(w) for w in low]
    assert max(values[50:]) > 1.0
    stays, (info,) = path(gradient_descent(f, PolyakEstimate(1e6)), np.ones(2), 1)
    assert info.alpha == 0
    np.testing.assert_array_equal(stays[0], stays[1])


@pytest.mark.parametrize("bound", [-0.5, -100.0])
def test_a_lower_bound_closes_in_on_the_minimum(bound: float) -> None:
    for f in (conditioned(50, 3, 0.4), logistic()):
        points, _ = path(gradient_descent(f, PolyakBound(bound)), np.ones(len(f.w_star)), 500)
        best = min(f.value(w) for w in points) - f.f_star
        fixed, _ = path(gradient_descent(f, PolyakEstimate(bound)), np.ones(len(f.w_star)), 500)
        assert best < 1e-6
        assert best < 0.1 * (f.value(fixed[-1]) - f.f_star)


def test_a_bound_s_step_is_between_half_of_polyak_s_and_all_of_it() -> None:
    """As long as f is further above f* than the estimate is below it."""
    f = conditioned(30, 2, 0.4)
    state = (algorithm := gradient_descent(f, PolyakBound(-1.0, epoch=1000))).init(np.array([4.0, 2.0]))
    tried = 0
    while f.value(state.x) - f.f_star >= 1.0:
        state, info = algorithm.step(RNG, state)
        whole = (info.f - f.f_star) / (info.g @ info.g)
        assert 0.5 * whole <= info.alpha <= whole
        assert info.alpha == pytest.approx((info.f + 1.0) / (2 * info.g @ info.g), rel=1e-12)
        tried += 1
    assert tried > 3


def test_a_bound_s_estimate_moves_half_way_each_epoch_and_falls_back_when_refuted() -> None:
    rule, f = PolyakBound(-2.0, epoch=3), conditioned(2)
    ray = Ray(f, w := np.array([1.0, 1.0]), f.gradient(w))  # f = 1.5
    alpha, memory = rule.length(ray, BoundMemory(best=1.0, estimate=0.5, t=3))
    assert memory == BoundMemory(best=1.0, estimate=0.75, t=1)
    assert alpha == pytest.approx((1.5 - 0.75) / (2 * ray.square))
    _, memory = rule.length(ray, BoundMemory(best=2.0, estimate=1.6, t=1))
    assert memory == BoundMemory(best=1.5, estimate=-2.0, t=1)


def test_exact_line_search_zig_zags_at_right_angles() -> None:
    """g^T g' = 0, by the closed form on quadratics and by Brent's method elsewhere."""
    for f, x0, limit in (
        (conditioned(30, 2, 0.4), np.array([2.0, 1.0]), 1e-12),
        (conditioned(30, 4, 0.4), np.ones(4), 1e-12),
        (LeastSquares(RNG.standard_normal((30, 3)), RNG.standard_normal(30), 0.1), np.ones(3), 1e-12),
        (Rosenbrock(), Rosenbrock().start, 1e-5),
        (logistic(), np.ones(4), 1e-5),
    ):
        _, infos = path(gradient_descent(f, ExactLineSearch()), x0, 12)
        for one, two in pairwise(infos):
            assert abs(one.g @ two.g) <= limit * np.linalg.norm(one.g) * np.linalg.norm(one.g)


def test_exact_line_search_is_kantorovich_slow_from_the_worst_start() -> None:
    """From (kappa, 1) in the eigenbasis each step multiplies f by exactly ((kappa - 1) / (kappa + 1))**2."""
    kappa = 25.0
    f = conditioned(kappa, 2)
    points, _ = path(gradient_descent(f, ExactLineSearch()), np.array([kappa, 1.0]), 20)
    values = np.array([f.value(w) for w in points])
    np.testing.assert_allclose(values[1:] / values[:-1], ((kappa - 1) / (kappa + 1)) ** 2, rtol=1e-9)


def test_no_step_along_the_gradient_beats_the_exact_one() -> None:
    f = Rosenbrock(4)
    _, infos = path(gradient_descent(f, ExactLineSearch()), f.start, 5)
    w = f.start
    for info in infos:
        best = f.value(w - info.alpha * info.g)
        for factor in (0.5, 0.9, 0.99, 1.01, 1.1, 2.0):
            assert f.value(w - factor * info.alpha * info.g) >= best
        w = w - info.alpha * info.g


@pytest.mark.parametrize(("c", "shrink"), [(1e-4, 0.5), (0.3, 0.8), (0.49, 0.1)])
def test_armijo_holds_at_each_accepted_step_and_at_no_longer_one_tried(c: float, shrink: float) -> None:
    for f, x0 in ((Rosenbrock(), Rosenbrock().start), (logistic(), np.ones(4)), (conditioned(9), np.ones(2))):
        points, infos = path(gradient_descent(f, Backtracking(c, shrink, start=4.0)), x0, 40)
        for w, new, info in zip(points[:-1], points[1:], infos, strict=True):
            square = info.g @ info.g
            assert f.value(new) <= f.value(w) - c * info.alpha * square
            shrinks = round(np.log(info.alpha / 4.0) / np.log(shrink))
            assert info.alpha == pytest.approx(4.0 * shrink**shrinks, rel=1e-12)
            assert info.f_evaluations == 2 + shrinks
            if shrinks:
                longer = info.alpha / shrink
                assert f.value(w - longer * info.g) > f.value(w) - c * longer * square


def test_momentum_of_zero_and_plain_descent_agree() -> None:
    f = conditioned(5)
    one, _ = path(sgd(f, momentum(0.1, mu=0.0)), np.ones(2), 20)
    two, _ = path(sgd(f, gradient_rule(0.1)), np.ones(2), 20)
    np.testing.assert_array_equal(one, two)
