"""Timing on a clock that each call moves by a scripted time."""

from __future__ import annotations

import pytest

from mlsys.inference.metrics import WarmUp, compare


class Scripted:
    """A clock, and calls that take what their scripts say; the last entry goes on for ever."""

    def __init__(self):
        self.now, self.order = 0.0, []

    def call(self, name, *seconds):
        script = list(seconds)

        def run():
            self.order.append(name)
            self.now += script.pop(0) if len(script) > 1 else script[0]

        return run

    def read(self):
        return self.now


def test_warm_up_ends_when_calls_no_longer_get_faster():
    world = Scripted()
    call = world.call("a", *[8.0] * 5, *[4.0] * 5, *[2.0] * 5, *[1.9] * 5, 1.0)
    timing = compare({"a": call}, rounds=7, clock=world.read)["a"]
    assert (timing.warm_up_calls, timing.steady) == (20, True)
    assert timing.latency_s.tolist() == pytest.approx([1.0] * 7)


def test_what_never_gets_steady_is_measured_and_said_to_be_unsteady():
    world = Scripted()
    call = world.call("a", *(0.8**k for k in range(60)))
    timing = compare({"a": call}, rounds=3, warm_up=WarmUp(window=2, most=20), clock=world.read)["a"]
    assert (timing.warm_up_calls, timing.steady) == (20, False)
    assert timing.data()["steady"] is False


def test_rivals_take_turns():
    world = Scripted()
    calls = {name: world.call(name, 1.0) for name in "abc"}
    compare(calls, rounds=4, warm_up=WarmUp(window=1, most=2), clock=world.read)
    assert "".join(world.order[6:]) == "abc" + "bca" + "cab" + "abc"


def test_medians_and_quartiles():
    world = Scripted()
    call = world.call("a", *[1.0] * 10, 5.0, 1.0, 3.0, 2.0, 4.0)
    timing = compare({"a": call}, rounds=5, clock=world.read)["a"]
    assert timing.median_s == 3.0
    assert timing.quartiles_s == (2.0, 4.0)
    assert timing.data()["rounds"] == 5


def test_what_is_refused():
    with pytest.raises(ValueError, match="at least one call"):
        compare({})
    with pytest.raises(ValueError, match="most must be >= 10"):
        WarmUp(most=9)
    with pytest.raises(ZeroDivisionError):  # an error of a candidate is not swallowed
        compare({"a": lambda: 1 / 0})
