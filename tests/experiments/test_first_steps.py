"""The first steps: their lengths exactly, the variance of the rate exactly and by sampling, the record recomputed."""

from __future__ import annotations

import numpy as np
import pytest

from mlsys.experiments import first_steps
from mlsys.experiments.first_steps import approximation, degrees, exact, lengths, of_chi_square
from mlsys.optim import adam, rmsprop
from mlsys.optim.schedules import rectification
from mlsys.report import record
from mlsys.report.claim import CONTRADICTED, EQUIVALENT

VERDICTS = {
    "rmsprop-first-step": CONTRADICTED,
    "adam-first-step": EQUIVALENT,
    "radam-variance": EQUIVALENT,
    "radam-variance-early": CONTRADICTED,
    "radam-variance-network": EQUIVALENT,
    "first-direction": EQUIVALENT,
}


@pytest.mark.parametrize("name", first_steps.CLAIMS)
def test_verdict_is_what_the_book_says(name):
    result = first_steps.CLAIMS[name]()
    assert result.claim.name == name
    assert result.verdict == VERDICTS[name]


@pytest.mark.parametrize("rho", [0.9, 0.99, 0.999])
def test_rmsprops_steps_are_too_long_by_one_over_the_root_of_what_it_has_seen(rho):
    g = 7e3 * np.array([1.0, -1.0, 1.0, 1.0, -1.0, 1.0])  # of one size, whatever the signs
    t = np.arange(1, 7)
    np.testing.assert_allclose(lengths(rmsprop(0.1, rho), g), -np.sign(g) / np.sqrt(1 - rho**t), rtol=1e-9)
    assert lengths(rmsprop(0.1), g)[0] == pytest.approx(-10)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_adams_first_step_is_its_rate(size):
    assert lengths(adam(0.1), np.array([size]))[0] == pytest.approx(-1, rel=2e-5)


def test_no_root_of_one_gradient_has_a_mean_and_none_of_two_a_variance():
    assert exact(1)[0] == np.inf
    assert np.isfinite(exact(2)[0])
    assert exact(2)[1] == np.inf
    assert np.isfinite(exact(3)[1])


@pytest.mark.parametrize("t", [3, 4, 7, 50])
def test_of_equal_weights_the_square_is_scaled_inverse_chi_square(t):
    assert exact(t, 1 - 1e-12)[1] == pytest.approx(float(of_chi_square(t)), rel=1e-6)


def test_two_gradients_of_equal_weight_have_the_mean_of_a_rayleigh_variable():
    assert exact(2, 1 - 1e-12)[0] == pytest.approx(np.sqrt(np.pi), rel=1e-9)


@pytest.mark.parametrize(("t", "beta2"), [(10, 0.999), (10, 0.7), (40, 0.9), (200, 0.99)])
def test_exact_variance_is_that_of_samples(t, beta2):
    rng = np.random.default_rng(t)
    (psi,) = first_steps.rates(lambda: rng.standard_normal(40_000) ** 2, (t,), beta2)
    mean, variance = exact(t, beta2)
    deviations = (psi - psi.mean()) ** 2
    assert abs(psi.mean() - mean) < 5 * psi.std() / 200  # fails by chance once in two million
    assert abs(deviations.mean() - variance) < 6 * deviations.std() / 200


def test_rectification_is_the_root_of_two_approximate_variances():
    t = np.arange(6, 3000)
    r = [rectification(int(s), 0.999) for s in t]
    final = 2 / (1 - 0.999) - 1
    np.testing.assert_allclose(r, np.sqrt(approximation(final) / approximation(degrees(t))), rtol=1e-9)


def test_where_radams_formula_is_good_and_where_it_is_not():
    ratio = {t: float(approximation(degrees(t))) / exact(t)[1] for t in (5, 6, 10, 20, 100, 1000)}
    assert ratio[5] == pytest.approx(3.32, abs=0.01)
    assert ratio[10] == pytest.approx(1.38, abs=0.01)
    assert all(1 < ratio[t] < 1.15 for t in (20, 100, 1000))
    assert approximation(degrees(4)) == np.inf
    assert exact(4)[1] == pytest.approx(0.43, abs=0.001)


def test_degrees_of_freedom_are_nearly_right_and_the_expansion_is_what_fails():
    for t in (3, 4, 5, 6, 10, 50, 200, 1000, 3000):
        assert 1 < float(of_chi_square(degrees(t))) / exact(t)[1] < 1.12


def test_degrees_go_from_one_to_their_limit():
    assert degrees(1) == pytest.approx(1, abs=1e-9)
    assert degrees(100_000) == pytest.approx(1999)


def test_record_is_what_the_code_computes():
    kept = record.load("first_steps")["result"]
    assert kept["steps"] == list(first_steps.TIMES)
    np.testing.assert_allclose(first_steps.gaussian(1), kept["gaussian"][0], rtol=1e-6)
    for name, values in first_steps.of_network(1).items():
        np.testing.assert_allclose(values, kept["network"][0][name], rtol=1e-4)
    for name, values in first_steps.directions(1).items():
        np.testing.assert_allclose(values, kept["directions"][0][name], atol=1e-4)
    assert {len(kept[kind]) for kind in ("gaussian", "network", "directions")} == {10}
