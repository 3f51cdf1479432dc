"""Verdicts follow from the interval by rule, and a card says no more than was measured."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mlsys.report import Claim, card, ledger, measure
from mlsys.report.claim import CONTRADICTED, EQUIVALENT, HOLDS, UNDECIDED


def claim(kind="positive", margin=0.1, **options):
    return Claim("a-claim", "A < B & so on.", "Somebody (1999)", "effect", kind, margin, **options)


@pytest.mark.parametrize(
    ("kind", "effects", "verdict"),
    [
        ("positive", (1.0, 1.1, 0.9), HOLDS),
        ("positive", (-1.0, -1.1, -0.9), CONTRADICTED),
        ("positive", (1.0, -1.0, 0.2), UNDECIDED),
        ("positive", (0.01, 0.0, -0.01), EQUIVALENT),
        ("positive", (0.1, 0.2, 0.15), UNDECIDED),  # above 0, but not clearly above the margin
        ("positive", (-0.1, -0.2, -0.15), UNDECIDED),
        ("none", (0.01, 0.0, -0.01), EQUIVALENT),
        ("none", (1.0, 1.1, 0.9), CONTRADICTED),
        ("none", (-1.0, -1.1, -0.9), CONTRADICTED),
        ("none", (1.0, -1.0, 0.2), UNDECIDED),
        ("none", (0.1, 0.2, 0.15), UNDECIDED),
        ("at least", (1.0, 1.1, 0.9), HOLDS),
        ("at least", (0.1, 0.2, 0.15), HOLDS),  # above -margin, and more than equivalent
        ("at least", (0.01, 0.0, -0.01), EQUIVALENT),
        ("at least", (-1.0, -1.1, -0.9), CONTRADICTED),
        ("at least", (1.0, -1.0, 0.2), UNDECIDED),
    ],
)
def test_verdict(kind, effects, verdict):
    result = measure(claim(kind), effects)
    assert result.verdict == verdict
    predicted = {"positive": {HOLDS}, "none": {EQUIVALENT}, "at least": {HOLDS, EQUIVALENT}}
    assert result.supports == (verdict in predicted[kind])


def test_interval_is_students():
    effects = (0.3, 0.5, 0.1, 0.7, 0.4)
    low, high = measure(claim(), effects).interval
    expected = stats.ttest_1samp(effects, 0).confidence_interval(0.95)
    np.testing.assert_allclose((low, high), (expected.low, expected.high))


def test_bootstrapped_interval_covers_as_often_as_it_says():
    """Skewed effects, 12 seeds: 0.92 of 4,000 such intervals held the mean, 0.89 of plain percentile intervals."""
    rng, seen = np.random.default_rng(0), []
    for _ in range(400):
        low, high = measure(claim(bootstrap=True), rng.gamma(2.0, size=12)).interval
        seen.append(low <= 2 <= high)
    assert (
        0.91 < np.mean(seen) < 0.985
    )  # within three standard errors of 0.94, which such an interval has here


def test_bootstrapped_interval_is_the_same_at_every_call_and_near_students():
    effects = tuple(np.random.default_rng(1).normal(size=20))
    again = measure(claim(bootstrap=True), list(effects)).interval
    assert measure(claim(bootstrap=True), effects).interval == again
    students = measure(claim(), effects).interval
    np.testing.assert_allclose(again, students, atol=0.1 * (students[1] - students[0]))
    assert measure(claim(bootstrap=True), (0.5, 0.5, 0.5)).interval == (0.5, 0.5)


def test_interval_holds_no_value_that_the_effect_cannot_have():
    effects = (2.0, 2.0, 2.0, 1.0, 2.0)
    assert measure(claim(), effects).interval[1] > 2
    low, high = measure(claim(bounds=(-2.0, 2.0)), effects).interval
    assert (low, high) == (measure(claim(), effects).interval[0], 2.0)


def test_smallest_effect_is_found_four_times_out_of_five():
    rng = np.random.default_rng(0)
    n, runs = 5, 4000
    spread = np.mean([measure(claim(), rng.normal(size=n)).smallest for _ in range(300)])
    samples = rng.normal(loc=spread, size=(runs, n))
    half = stats.t.ppf(0.975, n - 1) * samples.std(1, ddof=1) / np.sqrt(n)
    assert 0.7 < np.mean(samples.mean(1) - half > 0) < 0.9


@pytest.mark.parametrize("effects", [(1.0, 2.0), (1.0, np.nan, 2.0), (1.0, np.inf, 2.0)])
def test_too_few_or_not_finite_is_refused(effects):
    with pytest.raises(ValueError, match="effects must"):
        measure(claim(), effects)


def test_card_escapes_and_names_its_verdict():
    text = card(measure(claim(), (1.0, 1.1, 0.9)))
    assert "A &lt; B &amp; so on." in text
    assert 'id="claim-a-claim"' in text
    assert "<strong>holds</strong>" in text
    assert "3 seeds" in text
    assert "Smallest detectable effect" in text
    assert "within ±0.1 counts as no effect" in text


def test_card_says_what_the_source_reported_where_it_did():
    assert "Reported" not in card(measure(claim(), (1.0, 1.1, 0.9)))
    text = card(measure(claim(reported="15 % < ours"), (1.0, 1.1, 0.9)))
    assert (
        "<dt>Source</dt><dd>Somebody (1999)</dd><dt>Reported</dt><dd>15 % &lt; ours</dd><dt>Measured</dt>"
        in text
    )


def test_ledger_has_a_row_a_claim_that_leads_to_its_card():
    text = ledger([measure(claim(), (1.0, 1.1, 0.9))], "chapter/claims.html")._repr_html_()
    assert text.count("<tr>") == 2
    assert 'href="chapter/claims.html#claim-a-claim"' in text
