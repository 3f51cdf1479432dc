"""Compliance: honest systems pass, and each way of cheating is caught by the check made for it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mlsys.inference.load import (
    Inline,
    Offline,
    Paced,
    Server,
    SingleStream,
    VirtualClock,
    compare_answers,
    nothing_cached_by_content,
    nothing_cached_by_index,
    poisson_arrivals,
    run,
    run_accuracy,
    schedule_kept,
)

SAMPLES = [np.array([i, 1.0]) for i in range(300)]


def honest(x):
    return 3 * x


def test_poisson_arrivals_are_recognised_and_others_not():
    trace = run(Inline(honest), SAMPLES, Server(100.0, 500), clock=VirtualClock())
    assert poisson_arrivals(trace).holds
    even = dataclasses.replace(trace, scheduled_s=Paced(100.0).schedule(0, 500))
    assert not poisson_arrivals(even).holds
    faster = dataclasses.replace(trace, scheduled_s=trace.scheduled_s / 2)
    assert not poisson_arrivals(faster).holds
    with pytest.raises(TypeError, match="this is Offline"):
        poisson_arrivals(run(Inline(honest), SAMPLES, Offline(3), clock=VirtualClock()))


def test_a_generator_that_is_held_up_is_late():
    clock = VirtualClock()

    def slow(x):
        clock.advance(0.05)
        return x

    late = run(Inline(slow), SAMPLES, Paced(100.0, 50), clock=clock)
    finding = schedule_kept(late)
    assert not finding.holds
    assert finding.figure == pytest.approx(49 * 0.04)  # 40 ms more behind with each query
    assert schedule_kept(run(Inline(honest), SAMPLES, Paced(100.0, 50), clock=VirtualClock())).holds


def test_answers_under_load_are_those_of_the_accuracy_run():
    accuracy = run_accuracy(Inline(honest), SAMPLES, SingleStream(), clock=VirtualClock())
    trace = run(Inline(honest), SAMPLES, Server(100.0, 200), clock=VirtualClock())
    assert compare_answers(trace, accuracy) == ("answers", True, 0.0, "0 of 200 answers wrong")

    under_load = iter(range(1000))
    hasty = Inline(lambda x: honest(x) + (next(under_load) % 50 == 7))
    trace = run(hasty, SAMPLES, Server(100.0, 200), clock=VirtualClock())
    finding = compare_answers(trace, accuracy)
    assert not finding.holds
    assert finding.figure == 4
    assert trace.latencies(wrong=int(finding.figure)).notes()[0] == "4 answers were wrong"
    looked_at = [int(compare_answers(trace, accuracy, 0.5, seed).text.split()[2]) for seed in range(20)]
    assert abs(np.mean(looked_at) - 100) < 4 * np.sqrt(200 / 4 / 20)
    assert len(set(looked_at)) > 1


def test_nan_is_a_wrong_answer_and_so_is_another_shape():
    right = dict.fromkeys(range(300), np.array([1.0, 2.0]))
    for bad in (np.array([1.0, np.nan]), np.array([1.0, 2.0, 3.0]), [1.0], "1.0"):
        trace = run(Inline(lambda x, bad=bad: bad), SAMPLES, Offline(5), clock=VirtualClock())
        assert compare_answers(trace, right).figure == 5
    assert compare_answers(trace, right, same=lambda a, b: True).holds


def test_nothing_compared_is_no_proof():
    trace = run(Inline(honest), SAMPLES, Offline(5), keep_answers=False, clock=VirtualClock())
    assert not compare_answers(trace, {}).holds
    trace = run(Inline(honest), SAMPLES, Offline(5), clock=VirtualClock())
    with pytest.raises(ValueError, match="no answer for samples"):
        compare_answers(trace, {})


class Remembering:
    """Answers by the index of the sample, once it has seen it."""

    def __init__(self):
        self.answers = {}

    def issue(self, queries, done):
        for query in queries:
            done(query.id, self.answers.setdefault(query.sample_index, honest(query.sample)))


def test_an_answer_by_the_index_is_found_out():
    assert nothing_cached_by_index(Inline(honest), SAMPLES[:20]).holds
    finding = nothing_cached_by_index(Remembering(), SAMPLES[:20])
    assert not finding.holds
    assert finding.figure == 20
    with pytest.raises(ValueError, match="pass samples that differ"):
        nothing_cached_by_index(Inline(lambda x: 1.0), SAMPLES[:20])
    with pytest.raises(ValueError, match="two samples at least"):
        nothing_cached_by_index(Inline(honest), SAMPLES[:1])


def test_a_cache_of_contents_is_found_out():
    def serving(cached):
        clock, seen = VirtualClock(), set()

        def predict(x):
            clock.advance(0.001 if cached and x[0] in seen else 0.010)
            seen.add(x[0])
            return x

        return nothing_cached_by_content(Inline(predict), SAMPLES, clock=clock)

    assert serving(cached=False).holds
    finding = serving(cached=True)
    assert not finding.holds
    assert finding.figure == pytest.approx(10.0)
    with pytest.raises(ValueError, match="each sent once"):
        nothing_cached_by_content(Inline(honest), SAMPLES, queries=301)
