"""The race of low-bit moments: bytes as the docstrings say, peers that move as much, goals as data."""

from __future__ import annotations

import pytest

import mlsys.optim as ours
from benchmarks import loads, lowbit, optim
from mlsys.kernels import lowbit_cpu


@pytest.mark.parametrize("moments", lowbit.MOVED)
def test_bytes_are_those_of_the_state(moments):
    """12 of weight and gradient, and what is kept read and written."""
    params = loads.parameters([(256, 50)])
    kept = lowbit.state_bytes(ours.LowBitAdamW(params, moments=moments)) / (256 * 50)
    assert kept == lowbit.KEPT[moments]
    assert 12 + 2 * kept == lowbit.MOVED[moments]


def test_every_peer_has_a_row_and_the_goal_is_float32_s_limit():
    rows = list(lowbit.steps("ResNet-50", quick=True, shapes=[(40, 30), (7,)]))
    assert len(rows) == 4 * 3
    assert {row.peer_name for row in rows} == {lowbit.FLOAT32, lowbit.OWN, lowbit.ADAMW}
    with_goals = [row for row in rows if row.goal is not None]
    assert {row.peer_name for row in with_goals} == {lowbit.FLOAT32}
    assert {row.goal for row in with_goals} == {1.0}
    assert lowbit.goal("stochastic", "2,000 x 1,024", lowbit.FLOAT32) is None


def test_the_limit_of_its_bytes_moves_as_many(monkeypatch):
    seen = []
    monkeypatch.setattr(lowbit, "limit", lambda shapes, slots: seen.append((shapes, slots)))
    for moved in lowbit.MOVED.values():
        lowbit.limit_of(moved, 12 * 1024)
    assert [shapes[0][0] / 1024 for shapes, _ in seen] == list(lowbit.MOVED.values())
    assert {slots for _, slots in seen} == {0}


def test_it_is_part_of_the_race_of_optimisers():
    assert lowbit_cpu.__name__ in optim.RACE.modules
