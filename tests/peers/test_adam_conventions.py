"""Adam's kin where peers disagree: with the keyword we take the same steps, without it others, by what is expected."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import pytorch_optimizer
import torch
from rule_cases import hostile_gradients

from mlsys.core import Rule
from mlsys.optim import (
    adam,
    adamw,
    amsgrad,
    decayed,
    gradient_rule,
    lookahead,
    momentum,
    nadam,
    radam,
    scheduled,
    schedules,
)  # fmt: skip

GRADIENTS = hostile_gradients(60, 24)
START = np.linspace(-2, 2, 24)
ETA, B1, B2, EPS = 0.01, 0.8, 0.95, 1e-3  # so large an eps that where it stands is seen


def optax_path(transform) -> np.ndarray:
    """Its points in float64; jax's default is restored afterwards."""
    with jax.enable_x64(True):
        p = jnp.asarray(START)
        state, points = transform.init(p), []
        for g in GRADIENTS:
            updates, state = transform.update(jnp.asarray(g), state, p)
            p = optax.apply_updates(p, updates)
            points.append(np.asarray(p))
        assert p.dtype == jnp.float64
    return np.array(points)


def path(rule: Rule | lookahead) -> np.ndarray:
    w, points = START, []
    state = rule.init(w)
    for g in GRADIENTS:
        w, state = rule.step(w, g, state)
        points.append(w)
    return np.array(points)


def torch_path(make) -> np.ndarray:
    p = torch.nn.Parameter(torch.from_numpy(START.copy()))
    optimizer, points = make([p]), []
    for g in GRADIENTS:
        p.grad = torch.from_numpy(g.copy())
        optimizer.step()
        points.append(p.detach().numpy().copy())
    return np.array(points)


def moves(points: np.ndarray) -> np.ndarray:
    return np.diff(points, axis=0, prepend=START[None])


def agree(ours: np.ndarray, theirs: np.ndarray, tolerance: float = 1e-12) -> bool:
    """Within a share of the way travelled."""
    travelled = abs(START) + np.cumsum(abs(moves(theirs)), axis=0)
    return bool((abs(ours - theirs) <= tolerance * travelled).all())


def test_jax_is_left_in_float32():
    optax_path(optax.sgd(0.1))
    assert jnp.zeros(1).dtype == jnp.float32


def test_adam_with_eps_inside_the_root():
    """optax.adam's eps_root; torch has none. A first step is g / (sqrt(g**2 + eps_root) + eps)."""
    theirs = optax_path(optax.adam(ETA, B1, B2, eps=1e-8, eps_root=EPS))
    assert agree(path(adam(ETA, B1, B2, 1e-8, eps_root=EPS)), theirs)
    without = path(adam(ETA, B1, B2, 1e-8))
    g = GRADIENTS[0]
    expected = (np.sqrt(g * g + EPS) + 1e-8) / (abs(g) + 1e-8)
    np.testing.assert_allclose(moves(without)[0], moves(theirs)[0] * expected, rtol=1e-8)
    assert expected.max() > 20


AMSGRADS = {
    "corrected": optax.amsgrad(ETA, B1, B2, EPS),
    "none": optax.amsgrad(ETA, B1, B2, EPS, bias_correction_mu=False, bias_correction_nu=False),
}


@pytest.mark.parametrize("order", AMSGRADS)
def test_amsgrad_s_orders(order):
    assert agree(path(amsgrad(ETA, B1, B2, EPS, order=order)), optax_path(AMSGRADS[order]))


def test_amsgrad_s_orders_differ_where_the_first_gradient_is_the_largest():
    """Gradients 1, 0, 0, …: corrected, v_max stays 1; raw, v_max / c2 falls from 1 to 1 - beta2 = 0.05."""
    steps = {}
    for order in ("raw", "corrected", "none"):
        rule, w, at = amsgrad(ETA, 0.0, B2, 1e-12, order), np.zeros(1), []
        state = rule.init(w)
        for t in range(200):
            w, state = rule.step(w, np.array([float(t == 0)]), state)
            at.append(state.v_max[0])
        steps[order] = np.array(at)
        if order == "none":
            assert w[0] == pytest.approx(-ETA / np.sqrt(1 - B2))
        else:
            assert w[0] == pytest.approx(-ETA)
    c2 = 1 - B2 ** np.arange(1, 201)
    np.testing.assert_allclose(steps["corrected"], 1)
    np.testing.assert_allclose(steps["raw"] / c2, (1 - B2) / c2)


def test_nadam_of_a_constant_momentum_is_optax_s():
    theirs = optax_path(optax.nadam(ETA, B1, B2, EPS))
    assert agree(path(nadam(ETA, B1, B2, EPS, constant=True)), theirs)
    ours = path(nadam(ETA, B1, B2, EPS))
    assert not agree(ours, theirs, 1e-2)
    # The first step is d / |g| with d = g + mu_2 m / (1 - mu_1 mu_2), m = (1 - b1) g, but for eps.
    mu = [B1 * (1 - 0.5 * 0.96 ** (4e-3 * t)) for t in (1, 2)]
    torchs, optaxs = 1 + mu[1] * (1 - B1) / (1 - mu[0] * mu[1]), 1 + B1 * (1 - B1) / (1 - B1**2)
    expected = torchs / optaxs
    np.testing.assert_allclose(moves(ours)[0], moves(theirs)[0] * expected, rtol=1e-9)
    assert abs(expected - 1) > 0.2


def test_radam_agrees_where_eps_does_not_count_and_differs_by_its_place():
    """torch: sqrt(v) + eps, then corrected; optax: sqrt(v / c2) + eps. The threshold is 5 in both."""
    assert agree(path(radam(ETA, B1, B2, 1e-15)), optax_path(optax.radam(ETA, B1, B2, 1e-15)))
    ours, theirs = path(radam(ETA, B1, B2, EPS)), optax_path(optax.radam(ETA, B1, B2, EPS))
    first = 6  # the step where rho_t passes 5
    assert np.allclose(ours[: first - 1], theirs[: first - 1])  # by momentum alone: eps has no place
    c2 = 1 - B2**first
    v = sum((1 - B2) * B2 ** (first - t) * GRADIENTS[t - 1] ** 2 for t in range(1, first + 1))
    expected = (np.sqrt(v / c2) + EPS) / ((np.sqrt(v) + EPS) / np.sqrt(c2))
    np.testing.assert_allclose(moves(ours)[first - 1], moves(theirs)[first - 1] * expected, rtol=1e-6)
    assert expected.min() < 0.9


def test_radam_s_threshold_of_the_paper_starts_a_step_earlier():
    four, five = (moves(path(radam(ETA, B1, B2, 1e-8, threshold=h))) for h in (4, 5))
    differs = np.flatnonzero(~np.isclose(four, five, rtol=1e-9, atol=1e-12).all(axis=1)) + 1
    rho = {t: 39 - 2 * t * B2**t / (1 - B2**t) for t in range(1, 61)}  # rho_inf = 2 / 0.05 - 1
    assert [t for t in rho if 4 < rho[t] <= 5] == differs.tolist() == [5]


FALLING = schedules.cosine(60, final=0.1)


def test_adamw_s_decay_follows_the_rate_in_torch_and_optax():
    rule = scheduled(adamw(ETA, B1, B2, EPS, lam=0.5), FALLING)
    rate = lambda t: ETA * (0.1 + 0.9 * (1 + jnp.cos(jnp.pi * t / 60)) / 2)  # noqa: E731 (counts from 0)
    assert agree(path(rule), optax_path(optax.adamw(rate, B1, B2, EPS, weight_decay=0.5)))


def test_adamw_s_decay_follows_the_schedule_s_multiplier_in_the_paper():
    """Beside optax's parts put together so, and beside the rate's convention with lam / eta, which is the same."""
    lam = 0.02
    factor = lambda t: 0.1 + 0.9 * (1 + jnp.cos(jnp.pi * t / 60)) / 2  # noqa: E731
    papers = optax.chain(
        optax.scale_by_adam(B1, B2, EPS),
        optax.scale(ETA),
        optax.add_decayed_weights(lam),
        optax.scale_by_schedule(lambda t: -factor(t)),
    )
    ours = path(scheduled(adamw(ETA, B1, B2, EPS, lam=lam, follows="schedule"), FALLING))
    assert agree(ours, optax_path(papers))
    assert agree(ours, path(scheduled(adamw(ETA, B1, B2, EPS, lam=lam / ETA), FALLING)))


@pytest.mark.parametrize("eta", [1e-4, 1e-2])
def test_with_no_gradient_only_the_rate_s_decay_depends_on_the_rate(eta):
    """prod(1 - eta factor lam) against prod(1 - factor lam)."""
    kept = {}
    for follows in ("rate", "schedule"):
        rule, w = scheduled(adamw(eta, lam=0.1, follows=follows), FALLING), np.ones(1)
        state = rule.init(w)
        for _ in range(60):
            w, state = rule.step(w, np.zeros(1), state)
        kept[follows] = w[0]
    factors = np.array([FALLING.factor(t) for t in range(1, 61)])
    assert kept["rate"] == pytest.approx(np.prod(1 - eta * factors * 0.1), rel=1e-12)
    assert kept["schedule"] == pytest.approx(np.prod(1 - factors * 0.1), rel=1e-12)


@pytest.mark.parametrize("follows", ["rate", "schedule"])
def test_another_peer_s_fixed_decay(follows):
    """Of its RAdam: lam a step, or the rate times lam."""
    fixed = follows == "schedule"
    peer = torch_path(
        lambda p: pytorch_optimizer.RAdam(
            p, ETA, (B1, B2), 0.02, eps=EPS, fixed_decay=fixed, degenerated_to_sgd=True, foreach=False
        )
    )
    ours = {f: path(decayed(radam(ETA, B1, B2, EPS), 0.02, True, f)) for f in ("rate", "schedule")}
    assert agree(ours.pop(follows), peer, 1e-12)
    (other,) = ours.values()
    assert not agree(other, peer, 1e-2)


def test_sgd_s_two_forms_of_decay_are_one_at_one_rate_and_adam_s_are_not():
    assert agree(path(decayed(gradient_rule(ETA), 0.3)), path(decayed(gradient_rule(ETA), 0.3, True)), 1e-12)
    l2, apart = path(decayed(adam(ETA), 0.3)), path(decayed(adam(ETA), 0.3, True))
    assert not agree(l2, apart, 1e-2)


def test_lookahead_is_optax_s():
    rule, peer = momentum(ETA, 0.9), optax.sgd(ETA, momentum=0.9)
    with jax.enable_x64(True):
        params = optax.LookaheadParams.init_synced(jnp.asarray(START))
        wrapped = optax.lookahead(peer, sync_period=5, slow_step_size=0.3)
        state, fast, slow = wrapped.init(params), [], []
        for g in GRADIENTS:
            updates, state = wrapped.update(jnp.asarray(g), state, params)
            params = optax.apply_updates(params, updates)
            fast.append(np.asarray(params.fast))
            slow.append(np.asarray(params.slow))
    ours = lookahead(rule, 5, 0.3)
    assert agree(path(ours), np.array(fast))
    w, own, kept = START, ours.init(START), []
    for g in GRADIENTS:
        w, own = ours.step(w, g, own)
        kept.append(own.slow)
    assert agree(np.array(kept), np.array(slow))
