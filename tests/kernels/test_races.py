"""The races' own machinery: what they time, how they compare, and that they refuse while tests are red."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from kernel_cases import RULES

from benchmarks import fresh, gate, limit, loads, optim, report, starts, training
from benchmarks.race import Contention, Race, Row, compare, seconds
from mlsys.kernels import lifting


def test_resnet50_from_its_definition():
    shapes = loads.resnet50()
    assert len(shapes) == 161
    assert loads.elements(shapes) == 25_557_032
    assert shapes[0] == (64, 3, 7, 7)
    assert shapes[-1] == (1000,)


def test_the_limit_moves_as_much_as_the_rule():
    slots = {
        "sgd": 0,
        "momentum": 1,
        "nesterov": 1,
        "adagrad": 1,
        "rmsprop": 1,
        "adadelta": 2,
        "adam": 2,
        "amsgrad": 3,
        "adamw": 2,
        "nadam": 2,
        "radam": 2,
    }
    assert {name: entry.slots for name, entry in optim.ENTRIES.items()} == slots
    for name, k in slots.items():
        assert len(RULES[{"adamw": "adam"}.get(name, name)].fill) == k
        assert lifting.signature(limit._BODIES[k], k).reads == 2 + k
        body = limit._BODIES[k]
        changed = body(*[1.0] * (2 + k))
        assert changed == (2.0,) * (1 + k)  # every stream that a rule writes is written


@pytest.mark.parametrize("name", optim.ENTRIES)
def test_the_contestants_take_the_same_step(name):
    entry = optim.ENTRIES[name]
    mine, theirs = loads.parameters([(40, 3), (5,)]), loads.parameters([(40, 3), (5,)])
    entry.ours(mine, **entry.arguments).step()
    entry.torch(theirs, **entry.arguments).step()
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b)


def test_the_goals_of_the_project_are_data():
    goals = {
        (n, load, p): e.goal(load, p)
        for n, e in optim.ENTRIES.items()
        for load in loads.LOADS
        for p in (optim.LIMIT, "torch fused", "torch's best", "torch loop")
    }
    assert goals["adadelta", "one 20M", "torch's best"] == 8.0
    assert goals["rmsprop", "one 20M", "torch's best"] == 6.5
    assert goals["adam", "2,000 x 1,024", "torch fused"] == 10.0
    assert goals["adamw", "2,000 x 1,024", "torch fused"] == 10.0
    assert goals["nadam", "2,000 x 1,024", "torch's best"] == 40.0
    assert goals["nadam", "one 20M", "torch's best"] == goals["radam", "one 20M", "torch's best"] == 6.0
    assert {goals[n, load, optim.LIMIT] for n in optim.ENTRIES for load in optim.LARGE} == {0.95}
    assert {goals[n, load, "torch fused"] for n in optim.ENTRIES for load in optim.LARGE} == {0.98}
    assert starts.BOUNDS == {"cold": 2.0, "code cached": 0.3}


def test_candidates_alternate_and_slow_ones_run_less():
    calls: list[str] = []
    times = seconds({n: lambda n=n: calls.append(n) for n in "abc"}, rounds=4, every={"c": 2})
    assert calls == [*"abc", *"aabbcc", *"bbaa", *"ccaabb", *"aabb"]  # once each, then turns of two
    assert [int(np.isnan(times[n]).sum()) for n in "abc"] == [0, 0, 2]


def test_a_row_says_what_was_met():
    times = {"ours": np.array([1.0, 2.0, 4.0]), "theirs": np.array([2.0, 4.0, np.nan])}
    row = compare(times, "ours", "theirs", race="r", case="c", metric="step_s", goal=2.0)
    assert (row.ours, row.peer, row.ratio, row.met, row.spread["rounds"]) == (1.5, 3.0, 2.0, True, 2)
    assert not compare(times, "ours", "theirs", race="r", case="c", metric="step_s", goal=2.01).met
    data = json.loads(json.dumps(row.data()))
    assert {"race", "case", "metric", "ours", "peer", "peer_name", "ratio", "goal", "met", "spread"} <= set(
        data
    )


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_our_own_work_is_no_contention():
    with Contention() as others:
        x = torch.ones(500, 500)
        for _ in range(20):
            x = x @ x / 500
    assert others.share is None or 0 <= others.share <= 1


def race_of(tests: Path) -> Race:
    def never(quick: bool):
        raise AssertionError("raced while red")
        yield

    return Race("planned", (str(tests),), ("mlsys.core.rule",), never)


def test_red_tests_refuse(tmp_path, monkeypatch):
    monkeypatch.setattr(gate, "STAMPS", tmp_path / "stamps")
    monkeypatch.setattr(gate, "ROOT", tmp_path)
    monkeypatch.setattr(gate, "key", lambda race: "k" + (tmp_path / "test_it.py").read_text().strip()[-1])
    (tmp_path / "test_it.py").write_text("def test(): assert 0")
    assert not gate.is_green(race_of(tmp_path / "test_it.py"))
    (tmp_path / "test_it.py").write_text("def test(): assert 1")
    assert gate.is_green(race_of(tmp_path / "test_it.py"))
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: pytest.fail("the stamp was not used"))
    assert gate.is_green(race_of(tmp_path / "test_it.py"))


def test_a_stamp_is_for_exactly_this_code(tmp_path, monkeypatch):
    before = gate.key(optim.RACE)
    assert gate.key(optim.RACE) == before
    more = Race(optim.RACE.name, (), optim.RACE.modules, optim.RACE.run)
    assert gate.key(more) != before


def test_a_single_file_of_tests_counts_too():
    here = Path(__file__).relative_to(gate.ROOT)
    one, none = (Race("planned", tests, ("mlsys.core.rule",), optim.RACE.run) for tests in ((str(here),), ()))
    assert gate.key(one) != gate.key(none)


def test_the_record_names_machine_and_versions(tmp_path):
    row = Row("r", "c", "step_s", 1.0, 2.0, "peer", 2.0, 1.5, {"ratio": [1.9, 2.1]})
    report.write(tmp_path / "x.json", optim.RACE, [row], quick=True)
    record = json.loads((tmp_path / "x.json").read_text())
    assert record["machine"]["versions"]["torch"] == torch.__version__
    assert record["result"]["quick"] is True
    assert record["result"]["rows"][0]["met"] is True
    assert str(Path.home()) not in (tmp_path / "x.json").read_text()


def test_a_fresh_process_returns_data_without_the_variable(monkeypatch):
    monkeypatch.setenv("MLSYS_TEST_MARK", "1")
    assert fresh.result("os", "getenv", "MLSYS_TEST_MARK") == "1"
    assert fresh.result("os", "getenv", "MLSYS_TEST_MARK", without=("MLSYS_TEST_MARK",)) is None


def test_a_training_step_takes_time_with_every_contestant():
    for name in training.OPTIMISERS:
        assert all(training.median_step("residual net", name, who, 1) > 0 for who in training.makers(name))
