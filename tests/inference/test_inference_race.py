"""The race's own machinery: it counts what it says, and goes on without a peer that is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import typer

from benchmarks import __main__ as command
from benchmarks import overhead, registry, report
from benchmarks.race import Row
from mlsys.inference.load import run

ROOT = Path(__file__).resolve().parents[2]


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


def test_the_parts_are_races_of_their_own_and_run_together():
    parts = registry.races("inference")
    assert [part.name for part in parts] == ["overhead", "serving", "layers", "features"]
    for part in parts:
        assert registry.races(part.name) == (part,)
        assert all((ROOT / test).exists() for test in part.tests)
    with pytest.raises(KeyError):
        registry.races("nothing")


def test_each_part_has_a_record_of_its_own():
    assert command.records(None, ["a", "b"]) == {}
    assert command.records(Path("x.json"), ["a"]) == {"a": Path("x.json")}
    assert command.records(Path("x"), ["a", "b"]) == {"a": Path("x/a.json"), "b": Path("x/b.json")}
    for path, names in (("x", ["a"]), ("x.json", ["a", "b"])):
        with pytest.raises(typer.BadParameter, match="must be a"):
            command.records(Path(path), names)


@pytest.mark.parametrize(
    ("metric", "ours", "peer", "shown"),
    [
        ("query_s", 1.53e-6, 6e-6, "1.53 µs"),
        ("call_s", 4e-4, 2e-3, "0.4 ms"),
        ("run_s", 20.0, 250.0, "20 s"),
        ("state_bytes", 2.0**22, 2.0**23, "4 MiB"),
        ("rms_error", 0.0123, 0.02, "0.0123"),
    ],
)
def test_sizes_are_shown_in_a_unit_that_suits_the_row(metric, ours, peer, shown):
    assert report.size(Row("race", "case", metric, ours, peer, "peer", peer / ours), ours) == shown
