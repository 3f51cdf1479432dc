"""Laws of the per-coordinate rules: invariances, bounds, first steps, and the history they summarise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys.core import generator, iterate
from mlsys.models import Logistic, Plateau
from mlsys.optim import adadelta, adagrad, adagrad_history, adam, gradient_rule, rmsprop, sgd

quick = settings(max_examples=25, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)


def walk(rule, gradients, start=None) -> np.ndarray:
    """The points (t + 1, d) of a rule fed these gradients (t, d)."""
    w = np.zeros_like(gradients[0]) if start is None else start
    state, points = rule.init(w), [w]
    for g in gradients:
        w, state = rule.step(w, g, state)
        points.append(w)
    return np.array(points)


def normal(seed: int, steps: int = 40, d: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((steps, d))


@quick
@given(seeds)
def test_adagrad_s_running_sum_is_its_history(seed: int) -> None:
    """The sum form adds the same numbers in the same order, so the two agree to the bit."""
    gradients = normal(seed) * np.geomspace(1e-3, 1e3, 6)
    np.testing.assert_array_equal(
        walk(adagrad(0.1, eps=1e-8), gradients), walk(adagrad_history(0.1, eps=1e-8), gradients)
    )


def test_adagrad_s_history_grows_and_its_running_sum_does_not() -> None:
    rule, running = adagrad_history(0.1), adagrad(0.1)
    w = np.zeros(7)
    state, small = rule.init(w), running.init(w)
    buffer = np.empty(7)
    for t in range(1, 6):
        buffer[:] = t  # a gradient buffer that is used again must not change the past
        _, state = rule.step(w, buffer, state)
        _, small = running.step(w, buffer, small)
        assert sum(g.size for g in state.history) == 7 * t
        assert sum(slot.size for slot in small[1:]) == 7
    assert [g[0] for g in state.history] == [1, 2, 3, 4, 5]


@quick
@given(seeds, st.lists(st.floats(1e-3, 1e3), min_size=6, max_size=6))
@pytest.mark.parametrize("make", [adagrad, rmsprop, adam], ids=lambda m: m.__name__)
def test_gradients_scaled_per_coordinate_leave_the_path_unchanged(make, seed: int, scales: list) -> None:
    """As eps -> 0: these rules do not know the unit of f, and SGD does."""
    gradients = normal(seed)
    scaled = gradients * np.array(scales)
    np.testing.assert_allclose(
        walk(make(0.1, eps=1e-30), scaled), walk(make(0.1, eps=1e-30), gradients), rtol=1e-9, atol=1e-12
    )
    plain = walk(gradient_rule(0.1), scaled)
    np.testing.assert_allclose(plain, walk(gradient_rule(0.1), gradients) * np.array(scales), rtol=1e-9)


@quick
@given(seeds, st.floats(0.01, 100))
def test_adadelta_moves_in_the_units_of_w(seed: int, unit: float) -> None:
    """Measure w in another unit: w -> unit w, so g -> g / unit, and the path is the same path.

    Up to eps, which starts the first steps and stands for two squares of different units: so it is made
    negligible, and the averages start at values that follow the unit.
    """
    gradients = normal(seed, 300, 4)
    rule = adadelta(rho=0.5, eps=1e-200)
    w = np.zeros(4)
    start = rule.State(0, np.ones(4), np.full(4, 0.01))
    moved = rule.State(0, start.r / unit**2, start.s * unit**2)
    one = two = w
    for g in gradients:
        one, start = rule.step(one, g, start)
        two, moved = rule.step(two, g / unit, moved)
    np.testing.assert_allclose(two, unit * one, rtol=1e-9, atol=1e-9 * unit)
    assert abs(one).max() > 0.1


@quick
@given(seeds, st.floats(0.5, 0.999))
def test_rmsprop_s_first_step_is_eta_over_root_1_minus_rho(seed: int, rho: float) -> None:
    """Whatever the gradient: ten times eta at rho = 0.99."""
    gradients = normal(seed, 1) * np.geomspace(1e-3, 1e3, 6)
    first = walk(rmsprop(0.01, rho=rho, eps=1e-30), gradients)[1]
    np.testing.assert_allclose(first, -0.01 * np.sign(gradients[0]) / np.sqrt(1 - rho), rtol=1e-12)


def test_first_steps_of_the_rules() -> None:
    g = np.array([[1e-3, -1.0, 1e3]])
    sign = np.sign(g[0])
    np.testing.assert_allclose(walk(adagrad(0.1, eps=1e-30), g)[1], -0.1 * sign, rtol=1e-12)
    np.testing.assert_allclose(walk(adam(0.1, eps=1e-30), g)[1], -0.1 * sign, rtol=1e-12)
    np.testing.assert_allclose(walk(rmsprop(0.1, rho=0.99, eps=1e-30), g)[1], -1.0 * sign, rtol=1e-12)
    size = np.sqrt(1e-6) / np.sqrt(0.1 * g[0] ** 2 + 1e-6) * abs(g[0])
    np.testing.assert_allclose(walk(adadelta(rho=0.9, eps=1e-6), g)[1], -sign * size, rtol=1e-12)


@quick
@given(seeds, st.sampled_from([(0.9, 0.999), (0.9, 0.99), (0.0, 0.9), (0.5, 0.5)]))
def test_adam_s_step_is_bounded(seed: int, betas: tuple[float, float]) -> None:
    """|step| <= eta (1 - beta1) / sqrt((1 - beta2)(1 - beta1**2 / beta2)), times the bias corrections' ratio.

    By Cauchy-Schwarz on m / sqrt(v), for any gradients and beta1**2 < beta2; these have rare bursts. (Kingma & Ba
    state eta, or eta (1 - beta1) / sqrt(1 - beta2), for the two extreme cases.)
    """
    beta1, beta2 = betas
    rng = np.random.default_rng(seed)
    gradients = (
        rng.standard_normal((200, 5)) * 10.0 ** rng.integers(-3, 4, (200, 1)) * (rng.random((200, 5)) < 0.3)
    )
    steps = abs(np.diff(walk(adam(0.1, beta1, beta2), gradients), axis=0))
    bound = 0.1 * (1 - beta1) / np.sqrt((1 - beta2) * (1 - beta1**2 / beta2))
    t = np.arange(1, 201)
    correction = np.sqrt(1 - beta2**t) / (1 - beta1**t)
    assert (steps <= bound * correction[:, None] * (1 + 1e-9)).all()


@quick
@given(seeds, st.sampled_from([0.01, 0.1, 1.0]))
def test_adagrad_s_regret_bound(seed: int, eta: float) -> None:
    """For any linear losses and any u: sum g_t (w_t - u) <= sum_j |g_1:T,j| (D_j**2 / (2 eta) + eta), where D_j is
    the largest |w_t,j - u_j| met (Duchi et al., theorem 5, without the projection)."""
    rng = np.random.default_rng(seed)
    gradients = rng.standard_normal((200, 5)) * np.geomspace(1e-2, 1e2, 5) + rng.standard_normal(5)
    u = rng.standard_normal(5)
    points = walk(adagrad(eta, eps=1e-12), gradients)
    regret = np.sum(gradients * (points[:-1] - u))
    norms = np.sqrt(np.sum(gradients**2, axis=0))
    reach = np.max(abs(points[:-1] - u), axis=0)
    assert regret <= np.sum(norms * (reach**2 / (2 * eta) + eta)) * (1 + 1e-9)


def test_adagrad_s_effective_rate_only_falls_and_rmsprop_s_recovers() -> None:
    """A thousand steps after a burst, AdaGrad still pays for it; RMSProp has forgotten."""
    gradients = np.concatenate([np.full((10, 1), 100.0), np.full((1000, 1), 0.01)])
    rates = {
        make.__name__: abs(np.diff(walk(make(0.1), gradients), axis=0)[:, 0]) / gradients[:, 0]
        for make in (adagrad, rmsprop)
    }
    assert (np.diff(rates["adagrad"]) <= 1e-12).all()
    assert rates["adagrad"][-1] < 1e-3
    assert rates["rmsprop"][-1] > 100 * rates["rmsprop"][10]


def last_value(f, rule, steps: int) -> float:
    for state, _ in iterate(sgd(f, rule), f.start, generator(0), steps):
        last = state
    return f.value(last.x)


def test_no_rate_lets_adagrad_cross_the_plateau_that_rmsprop_crosses() -> None:
    """One step at a time for a grid of rates at once: the rules are elementwise, so the grid is d = 2 x 200."""
    f, steps = Plateau(), 2000
    rates = np.geomspace(1e-3, 1e2, 200)

    def finals(average: float | None, rates: np.ndarray) -> np.ndarray:
        grid = Plateau(np.tile(f.scales, len(rates)))
        w, eta = grid.start, np.repeat(rates, 2)
        rule = adagrad(1.0) if average is None else rmsprop(1.0, rho=average)
        state = rule.init(w)
        for _ in range(steps):
            moved, state = rule.step(w, grid.gradient(w), state)
            w = w + eta * (moved - w)
        return np.array([f.value(pair) for pair in w.reshape(-1, 2)])

    assert finals(None, rates).min() > 0.9  # of 2, the depth of the two wells
    assert finals(0.9, np.geomspace(0.02, 0.5, 20)).max() < 0.1
    assert last_value(f, rmsprop(0.05, rho=0.9), steps) == pytest.approx(
        finals(0.9, np.array([0.05]))[0], rel=1e-6
    )


def test_adagrad_wins_where_rare_features_decide() -> None:
    from mlsys.data import load

    train, _ = load("sparse-text", n=1000, d=500).split()
    f = Logistic(train.X, train.y)

    def best(make, rates) -> float:
        finals = []
        for eta in rates:
            algorithm = sgd(f, make(eta), batch_size=8, sparse=True)
            *_, (state, _) = iterate(algorithm, np.zeros(f.d), generator(0), 200)
            finals.append(f.value(state.x))
        return min(finals)

    assert best(adagrad, [0.1, 0.3, 1.0]) < 0.9 * best(gradient_rule, [0.1, 0.3, 1.0, 3.0])
