"""Many runs at once are what the runs are one by one."""

from __future__ import annotations

import numpy as np
import pytest

from mlsys.core import generator
from mlsys.experiments import together, warm_runs
from mlsys.models import MLP
from mlsys.optim import adam, decayed, gradient_rule, momentum, radam, rmsprop, scheduled, schedules


def test_losses_and_gradients_are_those_of_each_network():
    data, rng = [together.digits(seed) for seed in (1, 2)], np.random.default_rng(0)
    w = np.stack([each.start for each in data]).astype(float)
    at = rng.integers(together.TRAIN, size=(2, 32))
    X, y = (np.stack([each.train[i][rows] for each, rows in zip(data, at, strict=True)]) for i in (0, 1))
    losses, gradients = together.loss_and_gradient(w, X.astype(float), y)
    for i, each in enumerate(data):
        model = MLP(*each.train, hidden=(together.HIDDEN,))
        assert losses[i] == pytest.approx(model.value(w[i], at[i]))
        np.testing.assert_allclose(gradients[i], model.gradient(w[i], at[i]), atol=1e-12)
        missed = together.misread(w[i : i + 1], each.test[0][None], each.test[1][None])
        assert missed[0] == pytest.approx(1 - model.accuracy(w[i], *each.test))


RULES = {
    "adam": adam(0.03),
    "adamw": decayed(adam(0.03), 0.01, decoupled=True),
    "rmsprop": rmsprop(0.03),
    "radam": radam(0.03),
    "corrected": adam(0.03, beta1=0.0, beta2=0.99),  # this and "plain" are warm_runs.MORE
    "sgd": momentum(0.03),
    "plain": gradient_rule(0.03),
}


@pytest.mark.parametrize("optimiser", together.MAKERS | warm_runs.MORE)
def test_a_run_is_that_of_the_rule_by_itself(optimiser):
    """Two epochs of batches of 64, beside a run of another rate and beside other seeds."""
    found = together.train(optimiser, (0.03, 0.3), (1, 2), 64, 2, schedules.cosine, every=1)
    data, rng = together.digits(2), generator(2, "together", "batches")
    model = MLP(*data.train, hidden=(together.HIDDEN,))
    rule = scheduled(RULES[optimiser], schedules.cosine(2 * 12))
    w, state = data.start, rule.init(data.start)
    for epoch in range(2):
        losses = []
        for batch in np.split(rng.permutation(together.TRAIN)[: 12 * 64], 12):
            losses.append(model.value(w, batch))
            w, state = rule.step(w, model.gradient(w, batch), state)
        assert found.loss[1, 0, epoch] == pytest.approx(np.mean(losses), rel=1e-4)
        assert found.error[1, 0, epoch] == pytest.approx(1 - model.accuracy(w, *data.test), abs=2.1 / 719)


def test_a_run_that_diverges_is_capped_and_alone():
    found = together.train("sgd", (0.1, 1e4), (1,), 64, 3, lambda steps: schedules.constant())
    assert found.loss[0, 1, -1] == together.CAP
    assert found.error[0, 1, -1] > 0.7
    assert found.loss[0, 0, -1] < 1
    assert np.isnan(found.error[0, 0, :-1]).all()


def test_parts_share_nothing_and_every_seed_is_judged_on_the_same_digits():
    first, second = together.digits(1), together.digits(2)
    np.testing.assert_array_equal(first.test[0], second.test[0])
    assert not np.array_equal(first.train[0], second.train[0])
    assert sum(len(part[1]) for part in first[:3]) == 1797
    rows = np.unique(np.concatenate([part[0] for part in first[:3]]), axis=0)
    assert len(rows) == 1797  # no digit occurs twice in the set, nor in two parts


def test_noise_is_in_the_labels_to_learn_from_and_nowhere_else():
    clean, noisy = together.digits(1), together.digits(1, 0.3)
    np.testing.assert_array_equal(clean.train[0], noisy.train[0])
    np.testing.assert_array_equal(clean.test[1], noisy.test[1])
    np.testing.assert_array_equal(clean.start, noisy.start)
    assert np.mean(clean.train[1] != noisy.train[1]) == pytest.approx(0.27, abs=5 * np.sqrt(0.2 / 808))
