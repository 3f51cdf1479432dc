"""Where optax's convention is another: the difference is what PEERS of the course says, no more, no less."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mlsys.core import Rule
from mlsys.optim import adagrad, rmsprop


def first_step(rule: Rule, g: float) -> float:
    w = np.zeros(1)
    return float(rule.step(w, np.array([g]), rule.init(w))[0][0])


def optax_path(transform, gradients: np.ndarray) -> np.ndarray:
    p = jnp.zeros(gradients.shape[1])
    state, points = transform.init(p), []
    for g in gradients:
        updates, state = transform.update(jnp.asarray(g), state, p)
        p = optax.apply_updates(p, updates)
        points.append(np.asarray(p))
    return np.array(points)


def our_path(rule: Rule, gradients: np.ndarray) -> np.ndarray:
    w = np.zeros_like(gradients[0])
    state, points = rule.init(w), []
    for g in gradients:
        w, state = rule.step(w, g, state)
        points.append(w)
    return np.array(points)


GRADIENTS = (np.random.default_rng(3).standard_normal((50, 8)) * np.geomspace(1e-3, 1e3, 8)).astype(
    np.float32
)


def test_adagrad_with_a_small_gradient_one_steps_a_tenth_the_other_0_0003() -> None:
    assert first_step(adagrad(0.1), 1e-3) == pytest.approx(-0.1, rel=1e-6)
    theirs = optax_path(optax.adagrad(0.1), np.array([[1e-3]], np.float32))[0, 0]
    assert theirs == pytest.approx(-0.1 * 1e-3 / np.sqrt(0.1 + 1e-6 + 1e-7), rel=1e-5)
    assert theirs == pytest.approx(-0.0003, abs=2e-5)


def test_adagrad_agrees_once_the_start_and_eps_do() -> None:
    theirs = optax_path(optax.adagrad(0.1, initial_accumulator_value=0.5, eps=0.0), GRADIENTS)
    ours = our_path(adagrad(0.1, eps=1e-30, initial=0.5), GRADIENTS)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_rmsprop_agrees_with_eps_outside_the_root_and_not_inside() -> None:
    """eps = 1e-2 weighs on small gradients: inside, sqrt(r + eps) >= 0.1; outside, sqrt(r) + 0.01."""
    ours = our_path(rmsprop(0.1, rho=0.9, eps=1e-2), GRADIENTS)
    outside = optax_path(optax.rmsprop(0.1, decay=0.9, eps=1e-2, eps_in_sqrt=False), GRADIENTS)
    inside = optax_path(optax.rmsprop(0.1, decay=0.9, eps=1e-2), GRADIENTS)
    np.testing.assert_allclose(ours, outside, rtol=1e-4, atol=1e-5)
    step, theirs = ours[0, 0], inside[0, 0]  # the first gradient of the smallest scale
    g = float(GRADIENTS[0, 0])
    assert step == pytest.approx(-0.1 * g / (np.sqrt(0.1 * g * g) + 1e-2), rel=1e-5)
    assert theirs == pytest.approx(-0.1 * g / np.sqrt(0.1 * g * g + 1e-2), rel=1e-5)
    assert step / theirs > 5
