"""The record of latencies: MLPerf's percentile, distribution-free intervals, and nothing dropped."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, quantile_test

from mlsys.inference.metrics import PERCENTILES, Latencies

TIMES = st.lists(st.floats(0, 1e3), min_size=1, max_size=60)


@given(TIMES, st.integers(0, 1000))
def test_percentile_is_the_sample_of_rank_n_p(times, thousandths):
    record = Latencies(np.array(times), wall_s=1.0)
    rank = min(len(times) - 1, len(times) * thousandths // 1000)
    assert record.percentile(thousandths / 1000) == sorted(times)[rank]


def test_percentile_by_hand():
    record = Latencies(np.arange(100.0), wall_s=50.0)
    assert [record.percentile(p) for p in (0, 0.29, 0.5, 0.9, 0.99, 0.999, 1)] == [0, 29, 50, 90, 99, 99, 99]
    assert math.floor(100 * 0.29) == 28  # what the product of the floats would have said
    assert record.throughput == 2.0


@pytest.mark.parametrize("n", [12, 50, 368, 2000])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_intervals_are_scipys(n, p, confidence):
    times = np.random.default_rng(n).exponential(size=n)
    theirs = quantile_test(times, p=p).confidence_interval(confidence)
    low, high = Latencies(times, wall_s=1.0).interval(p, confidence)
    assert low == (0.0 if math.isnan(theirs.low) else theirs.low)
    assert high == (math.inf if math.isnan(theirs.high) else theirs.high)


@given(st.integers(1, 3000), st.sampled_from(PERCENTILES))
def test_intervals_cover_at_least_as_often_as_they_say(n, p):
    """Of uniform draws u_(k) <= p exactly if at least k draws lie below p: the coverage is a binomial sum."""
    ranks = Latencies(np.arange(1.0, n + 1), wall_s=1.0).interval(p)
    below = binom.cdf(ranks[0] - 1, n, p)
    above = 0.0 if ranks[1] == math.inf else binom.sf(ranks[1] - 1, n, p)
    assert below <= 0.025 * (1 + 1e-9)
    assert above <= 0.025 * (1 + 1e-9)


@pytest.mark.parametrize(("p", "least"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368), (0.999, 3688)])
def test_when_a_percentile_means_something(p, least):
    """The least n with p**n <= 0.025: before, all n may well lie below the percentile."""
    assert p**least <= 0.025 < p ** (least - 1)
    few, enough = (Latencies(np.arange(1.0, n + 1), wall_s=1.0) for n in (least - 1, least))
    assert not few.enough(p)
    assert few.interval(p)[1] == math.inf
    assert enough.enough(p)
    assert math.isfinite(enough.interval(p)[1])


def test_few_answers_are_said_to_be_few():
    assert Latencies(np.ones(40), wall_s=1.0).notes() == ["40 answers are too few for p95, p99, p99.9"]


def test_what_is_no_time_is_counted_and_ranks_slowest():
    record = Latencies([0.1, math.nan, 0.2, -1.0, math.inf, -math.inf], wall_s=1.0, refused=2, failed=1)
    assert record.invalid == {"nan": 1, "negative": 1, "infinite": 2}
    assert (record.answered, record.sent) == (6, 9)
    assert record.percentile(0) == 0.1
    assert record.percentile(0.5) == math.inf  # the median of six, four of which are no time
    assert record.within(0.15) == 1 / 9
    assert len(record.latency_s) == 6
    assert "2 latencies are infinite: ranked slowest" in record.notes()
    assert record.data()["percentiles_s"]["p50"] is None


@given(st.lists(st.floats(width=64), max_size=30), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_nothing_is_dropped_or_invented(times, refused, failed, lost):
    record = Latencies(times, wall_s=1.0, refused=refused, failed=failed, unaccounted=lost)
    data = json.loads(json.dumps(record.data(), allow_nan=False))
    assert data["sent"] == len(times) + refused + failed + lost
    finite = [t for t in times if 0 <= t < math.inf]
    assert sum(data["invalid"].values()) == len(times) - len(finite)
    np.testing.assert_array_equal(record.ranked[: len(finite)], sorted(finite))


def test_a_trace_of_nothing_has_no_figures_and_says_so():
    record = Latencies([], wall_s=0.0)
    assert math.isnan(record.percentile(0.99))
    assert math.isnan(record.throughput)
    assert math.isnan(record.within(1.0))
    assert record.interval(0.5) == (0.0, math.inf)
    assert record.notes() == ["no query was sent", "the run took no time: there is no throughput"]
    refused = Latencies([], wall_s=1.0, refused=3)
    assert refused.notes() == ["no query was answered: there is no latency", "3 queries were refused"]
    assert refused.throughput == 0


def test_the_record_cannot_be_changed():
    times = np.array([3.0, 1.0])
    record = Latencies(times, wall_s=1.0)
    times[0] = 9.0
    assert record.latency_s.tolist() == [3.0, 1.0]
    assert record.ranked.tolist() == [1.0, 3.0]
    with pytest.raises(ValueError, match="read-only"):
        record.latency_s[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.wall_s = 2.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"latency_s": np.ones((2, 2))}, "one latency a query"),
        ({"refused": -1}, "refused must be >= 0"),
        ({"wrong": 3}, "wrong must be <= the 2 answered"),
        ({"wall_s": -1.0}, "wall_s must be >= 0"),
    ],
)
def test_what_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Latencies(**{"latency_s": [1.0, 2.0], "wall_s": 1.0, **given})


def test_percentiles_outside_of_it():
    record = Latencies([1.0], wall_s=1.0)
    with pytest.raises(ValueError, match=r"The 99th percentile is 0\.99"):
        record.percentile(99)
    with pytest.raises(ValueError, match="confidence must lie in"):
        record.interval(0.5, confidence=95)
