"""The books of the load generator: every query ends once, whatever the system does."""

from __future__ import annotations

import dataclasses
import gc
import json
import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys.inference.load import (
    Failed,
    Inline,
    MultiStream,
    Offline,
    Paced,
    Refused,
    Server,
    SingleStream,
    Threaded,
    VirtualClock,
    run,
)
from mlsys.inference.load.trace import ENDS

SAMPLES = [float(i) for i in range(32)]
ALL = [
    SingleStream(40),
    MultiStream(10, samples_per_query=5),
    Server(5000.0, 60),
    Paced(5000.0, 60),
    Offline(60),
]


class System:
    """Does with each query what a function of its id and sample says."""

    def __init__(self, treat):
        self.treat = treat

    def issue(self, queries, done):
        for query in queries:
            self.treat(query, done)


BEHAVIOURS = {
    "answer": (lambda q, done: done(q.id, q.sample), "answered", 0),
    "refuse": (lambda q, done: done(q.id, Refused("full")), "refused", 0),
    "fail": (lambda q, done: done(q.id, Failed("broken")), "failed", 0),
    "swallow": (lambda q, done: None, "unaccounted", 0),
    "answer twice": (lambda q, done: (done(q.id, 1.0), done(q.id, Failed("late"))), "answered", 1),
    "answer a stranger": (lambda q, done: (done(10**9, 1.0), done(-1, 1.0)), "unaccounted", 2),
}


@given(st.lists(st.sampled_from(sorted(BEHAVIOURS)), min_size=1, max_size=40), st.booleans())
@settings(max_examples=60)
def test_every_query_ends_exactly_once(plan, opened):
    system = System(lambda q, done: BEHAVIOURS[plan[q.id]][0](q, done))
    scenario = Paced(10.0, closed=False) if opened else Offline()
    if not opened:
        trace = run(system, SAMPLES, scenario, indices=[0] * len(plan), clock=VirtualClock())
    else:
        trace = run(system, SAMPLES, Paced(10.0, len(plan)), clock=VirtualClock())
    assert [ENDS[e] for e in trace.end] == [BEHAVIOURS[name][1] for name in plan]
    assert trace.strays == sum(BEHAVIOURS[name][2] for name in plan)
    record = trace.latencies()
    assert record.sent == len(plan) == sum(trace.counts.values())
    assert (np.isnan(trace.ended_s) == (trace.end == 3)).all()
    assert (trace.stopped is None) == (record.unaccounted == 0)


@pytest.mark.parametrize("scenario", ALL, ids=lambda s: type(s).__name__)
def test_answers_from_many_threads_find_their_queries(scenario):
    with Threaded(lambda x: 2 * x, workers=4) as system:
        trace = run(system, SAMPLES, scenario, seed=1)
    assert (
        trace.counts["answered"]
        == len(trace)
        == 60 - 20 * (type(scenario) is SingleStream) - 10 * (type(scenario) is MultiStream)
    )
    assert list(trace.answers) == [2 * SAMPLES[i] for i in trace.index]
    assert (trace.ended_s >= trace.issued_s).all()
    assert (trace.issued_s >= trace.scheduled_s).all()
    assert trace.strays == 0


@pytest.mark.parametrize(
    "scenario", [SingleStream(50), Paced(10.0, 50, closed=True)], ids=["stream", "paced"]
)
def test_a_system_that_dies_stops_a_closed_loop(scenario):
    system = System(lambda q, done: done(q.id, 1.0) if q.id < 7 else None)
    trace = run(system, SAMPLES, scenario, timeout_s=3.0, clock=VirtualClock())
    assert trace.counts == {"answered": 7, "refused": 0, "failed": 0, "unaccounted": 1}
    assert trace.stopped.startswith("no answer for 3 s: stopped after 8")


def test_a_system_that_dies_leaves_an_open_loop_running():
    """Users come whether the system lives or not: all of them are counted."""
    system = System(lambda q, done: done(q.id, 1.0) if q.id < 7 else None)
    trace = run(system, SAMPLES, Server(10.0, 50), timeout_s=3.0, clock=VirtualClock())
    assert trace.counts == {"answered": 7, "refused": 0, "failed": 0, "unaccounted": 43}
    assert trace.stopped == "no answer for 3 s: 43 samples unaccounted for"
    assert trace.latencies().notes()[0] == "43 queries never came back"


def test_real_threads_that_die_are_found_by_the_timeout():
    def treat(query, done):
        if query.id != 3:
            threading.Thread(target=done, args=(query.id, 1.0)).start()

    trace = run(System(treat), SAMPLES, Offline(8), timeout_s=0.2)
    assert trace.counts == {"answered": 7, "refused": 0, "failed": 0, "unaccounted": 1}
    assert trace.end[3] == 3


def test_an_error_of_issue_fails_what_has_no_answer_yet():
    def treat(query, done):
        if query.id % 4 == 2:
            raise RuntimeError("out of memory")
        done(query.id, 1.0)

    trace = run(System(treat), SAMPLES, MultiStream(2, samples_per_query=4), clock=VirtualClock())
    assert [ENDS[e] for e in trace.end] == ["answered", "answered", "failed", "failed"] * 2
    assert trace.reasons() == {"failed: RuntimeError('out of memory')": 4}
    assert trace.strays == 0
    assert trace.latencies().failed == 2  # a lot ends as its worst sample does
    assert trace.stopped is None


def test_a_model_that_raises_fails_visibly():
    trace = run(Inline(lambda x: 1 / (x - 3.0)), SAMPLES, Offline(32), clock=VirtualClock())
    assert trace.counts["failed"] == 1
    assert list(trace.reasons()) == ["failed: ZeroDivisionError('float division by zero')"]


@pytest.mark.parametrize(
    "bad",
    [
        float("nan"),
        np.array([1.0, np.inf]),
        [[0.0, float("nan")]],
        torch.tensor([float("nan")], requires_grad=True),
    ],
    ids=["float", "array", "list", "tensor"],
)
def test_answers_that_are_no_number_are_counted(bad):
    trace = run(
        Inline(lambda x: bad if x < 4 else [x, "label"][:1]), SAMPLES, Offline(32), clock=VirtualClock()
    )
    record = trace.latencies()
    assert (record.answered, record.not_finite) == (32, 4)
    assert "4 answers were not finite" in record.notes()


def test_answers_not_kept_but_reasons_are():
    trace = run(
        System(lambda q, done: done(q.id, Refused("full") if q.id % 2 else 1.0)),
        SAMPLES, Offline(10), keep_answers=False, clock=VirtualClock(),
    )  # fmt: skip
    assert trace.counts == {"answered": 5, "refused": 5, "failed": 0, "unaccounted": 0}
    assert [a is None for a in trace.answers] == [True, False] * 5
    assert trace.by_index() == {}


@pytest.mark.parametrize("scenario", ALL, ids=lambda s: type(s).__name__)
def test_a_run_as_json(scenario):
    system = System(lambda q, done: done(q.id, Refused("full") if q.id % 4 == 3 else float("nan")))
    for indices in (None, []):
        trace = run(system, SAMPLES, scenario, seed=3, indices=indices, clock=VirtualClock())
        data = json.loads(json.dumps(trace.data(), allow_nan=False))
        assert data["scenario"] == {"name": type(scenario).__name__, **dataclasses.asdict(scenario)}
        assert data["samples"] == sum(data[end] for end in ENDS) == len(trace)
        assert data["reasons"] == ({"refused: full": data["refused"]} if len(trace) else {})
        assert data["answers_kept"] == data["answered"]
        assert data["latency"]["sent"] == data["latency"]["answered"] + data["latency"]["refused"]


def test_the_same_seed_is_the_same_run():
    runs = [
        run(Inline(lambda x: x), SAMPLES, Server(9.0, 50), seed=s, clock=VirtualClock()) for s in (1, 1, 2)
    ]
    np.testing.assert_array_equal(runs[0].index, runs[1].index)
    np.testing.assert_array_equal(runs[0].scheduled_s, runs[1].scheduled_s)
    assert (runs[0].index != runs[2].index).any()
    assert set(runs[0].index.tolist()) <= set(range(32))


def test_the_books_give_pythons_collector_nothing_to_do():
    """It stops every thread to look through the process, which would be charged to the system under test."""
    stops = []

    def count(phase, info):
        stops.append(phase)

    gc.collect()
    gc.callbacks.append(count)
    try:
        run(Inline(lambda x: x), SAMPLES, SingleStream(20_000), clock=VirtualClock())
    finally:
        gc.callbacks.remove(count)
    assert len(stops) <= 4  # one collection is a start and a stop


def test_a_run_of_no_queries_is_an_empty_trace():
    for scenario in ALL:
        trace = run(Inline(lambda x: x), SAMPLES, scenario, indices=[], clock=VirtualClock())
        assert len(trace) == 0
        assert trace.latencies().notes()[0] == "no query was sent"


def test_what_is_refused():
    system = Inline(lambda x: x)
    with pytest.raises(ValueError, match="at least one sample"):
        run(system, [], SingleStream())
    with pytest.raises(ValueError, match="timeout_s must be > 0"):
        run(system, SAMPLES, SingleStream(), timeout_s=0)
    with pytest.raises(IndexError, match="got 32"):
        run(system, SAMPLES, SingleStream(), indices=[0, 32])
    with pytest.raises(ValueError, match="'scheduled' or 'issued'"):
        run(system, SAMPLES, SingleStream(2)).latencies(since="sent")
