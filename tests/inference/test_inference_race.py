"""The race's own machinery: it counts what it says, and goes on without a peer that is not installed."""

from __future__ import annotations

import sys

from benchmarks import inference, overhead, registry
from mlsys.inference.load import run


def test_every_scenario_sends_as_many_samples():
    for scenario in overhead.scenarios(80).values():
        trace = run(overhead.Null(), overhead.SAMPLES, scenario)
        assert trace.counts["answered"] == len(trace) == 80


def test_rows_without_the_peer(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "mlperf_loadgen", None)
    rows = list(overhead.rows(80, rounds=2))
    assert [row.case for row in rows] == [f"{name}, null system" for name in overhead.scenarios(80)]
    assert {(row.peer_name, row.peer, row.goal) for row in rows} == {(overhead.BOUND, 6e-6, 1.0)}
    for row in rows:
        assert row.ours > 0
        assert row.spread["rounds"] == 2
    assert "pip install" in capsys.readouterr().err


def test_the_race_is_registered():
    assert registry.RACES["inference"] is inference.RACE
