"""Percentiles where the truth is known, the laws of a server's record, and records as the book says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kstest

from mlsys.core.seeds import generator
from mlsys.experiments import four_users, latency_runs, percentiles, serving_laws, stand_ins
from mlsys.experiments.percentiles import INDEPENDENT, QUEUED
from mlsys.inference.metrics import Latencies
from mlsys.inference.serve import Limits, Request, replay
from mlsys.inference.serve.records import Record
from mlsys.report.claim import CONTRADICTED, EQUIVALENT, HOLDS

FEW = (1, 2, 3)


@pytest.mark.parametrize("kind", percentiles.DRAWN)
def test_latencies_are_exponential_from_the_first_to_the_last(kind):
    """p below 1e-4 for either column in one seed of 5,000; the seed is fixed."""
    drawn = percentiles.DRAWN[kind](0.8, 2000, 60, generator(5, "columns"))
    for column in (0, 59):
        assert kstest(drawn[:, column], "expon", args=(0, 5.0)).pvalue > 1e-4
    assert percentiles.percentile(0.8) == pytest.approx(5 * math.log(100))


def test_neighbours_in_a_queue_are_alike_and_independent_ones_are_not():
    for kind, low, high in ((INDEPENDENT, -0.05, 0.05), (QUEUED, 0.8, 1.0)):
        drawn = percentiles.DRAWN[kind](0.8, 200, 500, generator(6, "neighbours"))
        assert low < np.corrcoef(drawn[:, :-1].ravel(), drawn[:, 1:].ravel())[0, 1] < high


@pytest.mark.parametrize(
    ("name", "verdicts"),
    [
        ("interval-independent", (HOLDS, EQUIVALENT)),
        ("interval-queued", (CONTRADICTED,)),
        ("early-stopping-independent", (HOLDS, EQUIVALENT)),
        ("early-stopping-queued", (CONTRADICTED,)),
        ("closed-loop-hides", (HOLDS,)),
    ],
)
def test_claim_on_few_seeds_is_what_the_book_says(name, verdicts):
    result = percentiles.CLAIMS[name](seeds=FEW)
    assert result.claim.name == name
    assert result.verdict in verdicts


def records(arrivals, service_s, limits):
    """A server's record on the deterministic clock."""
    ended = replay(limits, [Request(i, float(a)) for i, a in enumerate(arrivals)], service_s)
    sizes = {e.batch: sum(other.batch == e.batch for other in ended) for e in ended}
    return [
        Record(e.request.id, 1, a, a, e.start_s, e.finish_s, sizes[e.batch], e.outcome)
        for e in ended
        for a in [e.request.arrival_s]
    ]


def test_times_and_batches_of_a_record():
    t = serving_laws.times(records([0.0, 0.1, 0.2], lambda n: 1.0, Limits(8, 0.0, 8)))
    np.testing.assert_allclose(t.queued, [0.0, 0.1, 0.2])
    np.testing.assert_allclose(t.started, [0.0, 1.0, 1.0])
    np.testing.assert_allclose(t.batch, [1, 2, 2])
    np.testing.assert_allclose(serving_laws.batches(t), [1.0, 1.0])
    assert len(serving_laws.times([]).queued) == 0


def test_the_formula_of_the_wait():
    assert serving_laws.pollaczek_khinchine(0.5, 1.0, 1.0) == 0.5
    assert serving_laws.pollaczek_khinchine(0.5, 1.0, 2.0) == 1.0  # exponential services: rho / (1 - rho)
    assert serving_laws.pollaczek_khinchine(1.0, 1.0, 1.0) == math.inf


def test_amdahls_law():
    assert serving_laws.speedup(0.0, 100) == 1
    assert serving_laws.speedup(1.0, 100) == pytest.approx(100)
    assert serving_laws.speedup(0.9, 1e12) == pytest.approx(10)


def test_a_real_server_keeps_littles_law():
    """The gauge's area is the sum of the times inside, to the last digit, whatever the batches were."""
    for max_batch in (1, 8):
        with serving_laws.served(max_batch, "wide-mlp:64") as server:
            assert serving_laws.warmed(*server) > 0
            said, t = serving_laws.under(*server, 200.0, 0.5, seed=1)
        assert said["answered"] == said["sent"] == len(t.queued) >= 100
        assert said["area"] == pytest.approx(said["answered"] * said["inside_s"], rel=1e-6)
        assert said["user_s"] > said["inside_s"]
        assert (t.batch <= max_batch).all()


@pytest.mark.parametrize("kind", stand_ins.KINDS)
def test_stand_ins_take_their_time_and_tell_it(kind):
    y = stand_ins.model(kind).predict(np.zeros((2, stand_ins.INPUTS)))
    assert y.shape == (2, 1)
    assert (y >= (0 if kind == "nothing" else stand_ins.SECONDS)).all()


def test_the_rest_of_a_request_is_what_is_not_the_model():
    (found,) = stand_ins.rest(1, 5)
    assert list(found) == list(stand_ins.KINDS)
    assert min(found.values()) > 0


def test_a_stopped_server_is_slow_for_its_users_and_once_for_the_closed_loop(monkeypatch):
    for name, value in (("RATE", 100.0), ("RUN_S", 1.0), ("STALL_AT_S", 0.3), ("STALL_S", 0.3)):
        monkeypatch.setattr(latency_runs, name, value)
    opened, closed = (latency_runs.stalled(way) for way in (False, True))
    assert opened["answered"] == closed["answered"] == 100
    assert sum(ms > 100 for ms in opened["ms"]) >= 15  # those due in the first 200 ms of the stall, at least
    assert max(closed["issued_ms"]) > 200


def test_recorded_milliseconds_are_latencies_again():
    found = latency_runs.latencies([1.0, 2.0, 4.0])
    assert isinstance(found, Latencies)
    assert found.percentile(1) == pytest.approx(0.004)
    assert found.wall_s == pytest.approx(0.007)


def test_energy_of_the_record_is_estimated_unless_a_counter_was_read():
    battery = four_users.recorded()["battery"]
    for of in battery["ways"].values():
        assert [four_users.energy(each).kind for each in of] == ["estimated"] + ["measured"] * len(
            battery["counters"]
        )


@pytest.mark.parametrize("name", ["little", "little-batched"])
def test_verdict_is_what_the_book_says(name):
    assert serving_laws.CLAIMS[name]().verdict == EQUIVALENT


def test_stall_of_the_record_is_hidden_by_the_closed_loop():
    assert latency_runs.CLAIMS["closed-loop-hides-real"]().verdict == HOLDS
