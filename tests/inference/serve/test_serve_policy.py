"""The batching policy on a deterministic clock: its laws on random traffic, and each rule by an example."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys.inference.serve import Ended, Limits, Outcome, Request, Signal, State, replay, step
from mlsys.inference.serve.policy import samples

TICKS = st.integers(0, 40)  # small whole times, so that many events fall on one instant


@st.composite
def traffic(draw: st.DrawFn) -> tuple[Limits, list[Request], list[float], float]:
    """Limits, arrivals, the service time by number of samples, and when the drain comes."""
    largest = draw(st.integers(1, 5))
    limits = Limits(largest, draw(st.integers(0, 6)), largest + draw(st.integers(0, 4)))
    patience = st.one_of(st.just(math.inf), st.integers(0, 12))
    requests = [
        Request(i, at, at + draw(patience), draw(st.integers(1, largest + (i % 9 == 8))))
        for i, at in enumerate(sorted(draw(st.lists(TICKS, max_size=25))))
    ]
    service = [float(draw(st.integers(0, 7))) for _ in range(largest + 1)]
    return limits, requests, service, draw(st.one_of(st.just(math.inf), TICKS))


def run(case: tuple[Limits, list[Request], list[float], float]) -> tuple[Ended, ...]:
    limits, requests, service, drain_s = case
    return replay(limits, requests, lambda n: service[n], drain_s)


def batches(ended: tuple[Ended, ...]) -> list[list[Ended]]:
    """The computed requests of each batch, batches in their order."""
    found = defaultdict(list)
    for end in ended:
        if end.batch is not None:
            found[end.batch].append(end)
    return [found[number] for number in sorted(found)]


@given(traffic())
def test_every_request_ends_exactly_once(case: tuple) -> None:
    ended = run(case)
    assert Counter(end.request.id for end in ended) == Counter(request.id for request in case[1])
    for end in ended:
        assert (end.start_s is None) == (end.outcome not in (Outcome.ANSWERED, Outcome.LATE))
        assert end.finish_s >= (end.start_s or 0) >= 0


@given(traffic())
def test_the_computed_are_first_in_first_out(case: tuple) -> None:
    order = [end.request.id for batch in batches(run(case)) for end in batch]
    assert order == sorted(order)


@given(traffic())
def test_one_batch_at_a_time_and_none_above_the_maximum(case: tuple) -> None:
    free = -math.inf
    for batch in batches(run(case)):
        assert samples(tuple(end.request for end in batch)) <= case[0].max_batch
        assert {(end.start_s, end.finish_s) for end in batch} == {(batch[0].start_s, batch[0].finish_s)}
        assert batch[0].start_s >= free
        free = batch[0].finish_s


@given(traffic())
def test_no_request_waits_longer_than_max_wait_once_the_worker_is_free(case: tuple) -> None:
    """Of the first of a batch, and of every request: the worker is not idle that long while it waits."""
    free = -math.inf
    for batch in batches(run(case)):
        first = batch[0].request.arrival_s
        assert batch[0].start_s <= max(free, first + case[0].max_wait_s)
        free = batch[0].finish_s


@given(traffic())
def test_deadlines(case: tuple) -> None:
    """Computed only if started before it; late is what ends after it; refused for it only at or after it."""
    for end in run(case):
        deadline = end.request.deadline_s
        if end.start_s is not None:
            assert end.start_s < deadline
            assert (end.outcome is Outcome.LATE) == (end.finish_s > deadline)
        elif end.outcome is Outcome.EXPIRED:
            assert end.finish_s == max(deadline, end.request.arrival_s)


@given(traffic())
def test_the_drain_refuses_what_comes_later_and_finishes_what_waits(case: tuple) -> None:
    limits, _, _, drain_s = case
    for end in run(case):
        if end.request.arrival_s > drain_s and end.request.samples <= limits.max_batch:
            assert end.outcome is Outcome.DRAINING
        if end.outcome is Outcome.DRAINING:
            assert end.request.arrival_s > drain_s


@settings(max_examples=200)
@given(traffic(), st.data())
def test_the_queue_stays_within_its_bound_and_is_full_when_it_refuses(
    case: tuple, data: st.DataObject
) -> None:
    """Driven by hand, with events in any order, so that no replay's habits are assumed."""
    limits, requests, _, _ = case
    state, now = State(), 0.0
    for request in requests:
        before = state.waiting
        now = max(now, request.arrival_s)
        state, decision = step(limits, state, now, request)
        assert samples(state.waiting) <= limits.queue
        for refused, reason in decision.refused:
            if reason is Outcome.FULL:
                kept = samples(tuple(r for r in before if r.deadline_s > now))
                assert refused is request
                assert kept + request.samples > limits.queue
        assert decision.wake_s > now
        if state.running and data.draw(st.booleans()):
            state, _ = step(limits, state, now, Signal.FINISH)


@given(traffic())
def test_a_step_changes_nothing_and_is_a_function(case: tuple) -> None:
    limits, requests, _, _ = case
    state = State(tuple(requests[:2]))
    for event in (*requests[2:4], Signal.WAKE, Signal.DRAIN):
        assert step(limits, state, 3.0, event) == step(limits, state, 3.0, event)
    assert state == State(tuple(requests[:2]))


LIMITS = Limits(max_batch=3, max_wait_s=5, queue=4)


def starts(requests: list[Request], service: float = 10) -> dict[int, float | None]:
    return {end.request.id: end.start_s for end in replay(LIMITS, requests, lambda n: service)}


def test_a_batch_starts_when_it_is_full_or_its_first_has_waited() -> None:
    assert starts([Request(0, 0), Request(1, 1), Request(2, 2)]) == {0: 2, 1: 2, 2: 2}
    assert starts([Request(0, 0), Request(1, 4)]) == {0: 5, 1: 5}
    assert starts([Request(0, 0), Request(1, 6)]) == {0: 5, 1: 15}  # its wait was over long before


def test_a_request_that_does_not_fit_closes_the_batch() -> None:
    """It is not overtaken by a smaller one, and what is closed does not wait."""
    requests = [Request(0, 0, samples=2), Request(1, 1, samples=2), Request(2, 2, samples=1)]
    assert starts(requests) == {0: 1, 1: 11, 2: 11}


def test_a_wait_that_would_cost_a_deadline_is_not_taken() -> None:
    assert starts([Request(0, 0, deadline_s=4)]) == {0: 0}
    assert starts([Request(0, 0, deadline_s=6)]) == {0: 5}
    assert starts([Request(0, 0), Request(1, 1, deadline_s=5)]) == {0: 1, 1: 1}


def test_an_expired_request_makes_room_and_is_told_at_its_deadline() -> None:
    requests = [Request(0, 0, samples=3), *(Request(i, 1, deadline_s=3) for i in (1, 2, 3, 4)), Request(5, 3)]
    ended = {end.request.id: end for end in replay(LIMITS, requests, lambda n: 10)}
    assert [ended[i].outcome for i in (1, 2, 3, 4, 5)] == [Outcome.EXPIRED] * 4 + [Outcome.ANSWERED]
    assert ended[1].finish_s == 3


def test_a_full_queue_refuses_at_once() -> None:
    ended = replay(LIMITS, [Request(i, i / 10) for i in range(8)], lambda n: 10)
    refused = [(end.request.id, end.finish_s) for end in ended if end.outcome is Outcome.FULL]
    assert refused == [(7, 0.7)]  # three are computed, four wait


def test_a_drain_ends_the_wait() -> None:
    ended = replay(LIMITS, [Request(0, 0), Request(1, 2)], lambda n: 10, drain_s=2)
    assert [(end.start_s, end.finish_s) for end in ended] == [(2, 12), (2, 12)]


def test_more_samples_than_a_batch_are_refused_even_while_draining() -> None:
    state, decision = step(LIMITS, State(draining=True), 0, Request(0, 0, samples=4))
    assert decision.refused == ((Request(0, 0, samples=4), Outcome.TOO_LARGE),)
    assert state.drained


def test_bad_limits_and_events_are_named() -> None:
    with pytest.raises(ValueError, match="queue must hold a batch, max_batch = 8 samples; got 4"):
        Limits(max_batch=8, queue=4)
    with pytest.raises(ValueError, match="max_wait_s must be >= 0"):
        Limits(max_wait_s=-1)
    with pytest.raises(TypeError, match="max_batch must be a whole number"):
        Limits(max_batch=1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="FINISH while no batch runs"):
        step(LIMITS, State(), 0, Signal.FINISH)
    with pytest.raises(ValueError, match="service_s must be finite"):
        replay(LIMITS, [Request(0, 0)], lambda n: math.nan)
