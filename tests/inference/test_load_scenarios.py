"""When queries arrive, on a clock that stands still: a queue's law exactly, and what a closed loop hides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from mlsys.inference.load import (
    Inline,
    MultiStream,
    Offline,
    Paced,
    Server,
    SingleStream,
    VirtualClock,
    run,
    run_accuracy,
)

SAMPLES = list(range(10))


def serving(clock, seconds):
    """A model that answers its sample after so many seconds each, a call at a time."""
    each = iter(seconds) if np.ndim(seconds) else None

    def predict(sample):
        clock.advance(seconds if each is None else next(each))
        return sample

    return Inline(predict)


def go(scenario, seconds, **more):
    clock = VirtualClock()
    return run(serving(clock, seconds), SAMPLES, scenario, clock=clock, **more)


def test_poisson_arrivals():
    due = Server(50.0, min_queries=20_000).schedule(3, None)
    assert kstest(np.diff(due, prepend=0), "expon", args=(0, 1 / 50)).pvalue > 1e-3
    counts = np.histogram(due, np.arange(0, due[-1], 1.0))[0]  # a second's arrivals: variance equals mean
    assert abs(counts.var() / counts.mean() - 1) < 4 * np.sqrt(2 / len(counts))


def test_schedules_are_drawn_by_the_seed_alone():
    short, long = Server(5.0, min_queries=30), Server(5.0, min_queries=3000)
    np.testing.assert_array_equal(short.schedule(7, None), long.schedule(7, None)[:30])
    np.testing.assert_array_equal(short.schedule(7, 12), long.schedule(7, None)[:12])
    assert (short.schedule(7, None) != short.schedule(8, None)).all()


@given(st.floats(0.5, 50), st.integers(1, 300), st.floats(0, 20))
@settings(max_examples=40)
def test_minimum_duration_and_count_both_hold(rate, queries, duration):
    due = Server(rate, queries, duration).schedule(0, None)
    assert len(due) >= queries
    assert due[-1] >= duration
    assert len(due) == queries or due[-2] < duration  # and no more than that
    paced = Paced(rate, queries, duration).schedule(0, None)
    assert len(paced) >= queries
    assert paced[-1] >= duration * (1 - 1e-12)


def test_single_stream_sends_when_the_last_is_answered():
    trace = go(SingleStream(min_queries=4), [0.5, 0.25, 1.0, 2.0])
    assert trace.issued_s.tolist() == [0.0, 0.5, 0.75, 1.75]
    assert trace.latencies().latency_s.tolist() == [0.5, 0.25, 1.0, 2.0]
    assert trace.wall_s == 3.75
    assert trace.scheduled_s.tolist() == trace.issued_s.tolist()


def test_a_stream_goes_on_for_its_minimum_duration():
    assert len(go(SingleStream(min_queries=3, min_duration_s=5.0), 0.5)) == 10
    assert len(go(SingleStream(min_queries=30, min_duration_s=5.0), 0.5)) == 30


def test_multi_stream_is_as_slow_as_the_last_of_a_lot():
    trace = go(MultiStream(min_queries=3, samples_per_query=4), 0.25)
    assert len(trace) == 12
    assert trace.issued_s.tolist() == [0.0] * 4 + [1.0] * 4 + [2.0] * 4
    record = trace.latencies()
    assert record.latency_s.tolist() == [1.0, 1.0, 1.0]
    assert record.sent == 3


def test_offline_sends_all_at_once_and_every_sample_before_any_again():
    trace = go(Offline(samples=25), 0.5)
    assert trace.issued_s.tolist() == [0.0] * 25
    assert trace.latencies().throughput == 2.0
    for start in (0, 10):
        assert sorted(trace.index[start : start + 10]) == SAMPLES
    assert len(set(trace.index[20:].tolist())) == 5


@given(st.integers(0, 10_000), st.floats(0.2, 2.0))
@settings(max_examples=25)
def test_server_latencies_are_lindleys(seed, load):
    """One server, any arrivals: a query ends its service time after the later of its arrival and the end before it."""
    service = np.random.default_rng(seed).exponential(size=200)
    trace = go(Server(load, min_queries=200), service, seed=seed)
    end = 0.0
    for due, took, ended in zip(trace.scheduled_s, service, trace.ended_s, strict=True):
        end = max(end, due) + took
        assert ended == pytest.approx(end, rel=1e-9)
    np.testing.assert_allclose(trace.latencies().latency_s, trace.ended_s - Server(load).schedule(seed, 200))


def test_mean_wait_is_pollaczek_and_khinchines():
    """M/D/1 at rho = 0.5: the wait is rho / (2 (1 - rho)) = half a service time on average.

    From 40 runs of 4,000 queries; 4 standard errors fail a right generator for one seed in 15,000.
    """
    means = [
        go(Server(0.5, min_queries=4000), 1.0, seed=s).latencies().latency_s.mean() - 1 for s in range(40)
    ]
    error = np.std(means, ddof=1) / np.sqrt(len(means))
    assert abs(np.mean(means) - 0.5) < 4 * error < 0.05


def test_what_the_closed_loop_hides():
    """100 queries a second, 1 ms each, a stall of 1 s in query 200.

    The users who came meanwhile waited, and those who came while the queue emptied, 9 ms less each than the one
    before: 110 of them longer than 10 ms. The closed loop, which counts from the sending, saw one.
    """
    service = np.full(1000, 0.001)
    service[200] = 1.0
    opened, closed = (go(Paced(100.0, 1000, closed=c), service) for c in (False, True))
    k = np.arange(1000)
    due, end, truth = k / 100, 0.0, []
    for at, took in zip(due, service, strict=True):
        end = max(end, at) + took
        truth.append(end - at)
    np.testing.assert_allclose(opened.latencies().latency_s, truth, atol=1e-9)
    slow = [
        int(np.sum(np.asarray(t) > 0.010))
        for t in (opened.latencies().latency_s, closed.latencies("issued").latency_s)
    ]
    assert slow == [110, 1]
    assert opened.latencies().percentile(0.99) == pytest.approx(truth[209], abs=1e-9)
    assert opened.latencies().percentile(0.99) > 0.9
    assert closed.latencies("issued").percentile(0.99) == pytest.approx(0.001)
    # Counted from the schedule the closed loop, too, tells the truth here: its single server stalls all alike.
    np.testing.assert_allclose(closed.latencies().latency_s, truth, atol=1e-9)


def test_the_accuracy_run_sends_each_sample_once():
    for scenario in (SingleStream(), MultiStream(samples_per_query=3), Server(9.0), Paced(9.0), Offline(4)):
        clock = VirtualClock()
        trace = run_accuracy(serving(clock, 0.1), SAMPLES, scenario, seed=5, clock=clock)
        assert sorted(trace.index.tolist()) == SAMPLES
        assert trace.index.tolist() != SAMPLES
        assert trace.by_index() == {i: i for i in SAMPLES}
    assert len(set(trace.query.tolist())) == 1  # offline: all at once, however many


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Server(0.0), "rate_per_s must be > 0"),
        (lambda: Server(1.0, min_queries=0), "min_queries must be >= 1"),
        (lambda: SingleStream(min_duration_s=-1), "min_duration_s must be >= 0"),
        (lambda: MultiStream(samples_per_query=0), "samples_per_query must be >= 1"),
        (lambda: Offline(0), "samples must be >= 1"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
