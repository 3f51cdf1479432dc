"""MLPerf's early stopping: its published counts, the law behind them, and how often it is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys.inference.load import keeps_bound, percentile_estimate, queries_needed
from mlsys.inference.metrics import Latencies


def test_the_counts_of_mlperfs_rules():
    """MLCommons, MLPerf Inference Rules: appendix on early stopping, at 99 % confidence."""
    assert [queries_needed(t, 0.9) for t in range(3)] == [44, 64, 81]
    assert [queries_needed(t, 0.99) for t in range(3)] == [459, 662, 838]


def at_most(t, n, q):
    return math.fsum(math.comb(n, k) * q**k * (1 - q) ** (n - k) for k in range(t + 1))


@given(st.integers(0, 12), st.floats(0.5, 0.97), st.floats(0.8, 0.999))
@settings(max_examples=80)
def test_the_count_is_the_least(over, p, confidence):
    """The binomial sum, written out: at n it is small enough, at n - 1 not yet."""
    n = queries_needed(over, p, confidence)
    assert at_most(over, n, 1 - p) <= (1 - confidence) * (1 + 1e-9)
    assert at_most(over, n - 1, 1 - p) > (1 - confidence) * (1 - 1e-9)


def record(n, slow, **more):
    return Latencies(np.r_[np.full(n - slow, 1.0), np.full(slow, 9.0)], wall_s=1.0, **more)


def test_the_verdict_at_its_edges():
    assert keeps_bound(record(459, 0), 1.0).passed
    assert not keeps_bound(record(458, 0), 1.0).passed
    verdict = keeps_bound(record(600, 1), 1.0)
    assert (verdict.passed, verdict.over, verdict.needed, verdict.more) == (False, 1, 662, 62)
    assert keeps_bound(record(662, 1), 1.0).more == 0


def test_what_was_not_answered_has_broken_the_bound():
    verdict = keeps_bound(record(659, 0, refused=1, failed=1, unaccounted=1), 1.0)
    assert (verdict.over, verdict.sent) == (3, 662)
    assert not verdict.passed
    assert keeps_bound(Latencies([], wall_s=0.0), 1.0).more == 459


@pytest.mark.parametrize(("n", "discarded"), [(64, 0), (80, 0), (81, 1), (96, 1), (97, 2)])
def test_the_estimate_leaves_out_as_many_as_n_allows(n, discarded):
    """LoadGen's convention: with room for t over-latency queries, the t-th largest, t - 1 left out."""
    assert [queries_needed(t, 0.9) for t in (1, 2, 3)] == [64, 81, 97]
    estimate = percentile_estimate(Latencies(np.arange(float(n)), wall_s=1.0), 0.9)
    assert estimate == (n - 1 - discarded, discarded, 64)


def test_too_few_queries_have_no_estimate():
    assert percentile_estimate(Latencies(np.arange(63.0), wall_s=1.0), 0.9) == (None, 0, 64)
    lost = percentile_estimate(Latencies(np.arange(60.0), wall_s=1.0, failed=4), 0.9)
    assert lost.latency_s == math.inf


def test_the_estimate_is_above_the_percentile_as_often_as_it_says():
    """At 80 %, uniform latencies: the bound holds in at least 80 of 100 runs; a law of 4 standard errors."""
    rng, runs = np.random.default_rng(4), 2000
    held = sum(
        percentile_estimate(Latencies(rng.random(300), wall_s=1.0), 0.9, confidence=0.8).latency_s >= 0.9
        for _ in range(runs)
    )
    assert held / runs > 0.8 - 4 * math.sqrt(0.16 / runs)
    assert held / runs < 0.95  # nor is it so careful as to say nothing


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"p must lie in \(0, 1\)"):
        queries_needed(0, 99)
    with pytest.raises(ValueError, match="confidence must lie in"):
        queries_needed(0, 0.9, 1.0)
    with pytest.raises(ValueError, match="over must be >= 0"):
        queries_needed(-1, 0.9)
