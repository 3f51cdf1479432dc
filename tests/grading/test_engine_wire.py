"""Frames between the sandbox and the checker: what an honest sender writes comes through, all else is refused."""

import contextlib
import json
import socket
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys.grading.engine import wire
from mlsys.problems import exercises, grader, problem
from mlsys.problems.problem import Case
from mlsys.problems.ps1.streams import Stream

PS = "ps1-adaptive-rates"
shapes = st.lists(st.integers(0, 4), max_size=3).map(tuple)


def framed(data):
    return struct.pack(">I", len(data)) + data


def refuse(value):
    raise AssertionError(f"{value!r} is not to be served")


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text()), min_size=1), st.integers(1, 50))
def test_frames_arrive_whole_however_they_are_cut(frames, size):
    frames = [{**frame, "t": "x"} for frame in frames]
    data = b"".join(framed(json.dumps(frame).encode()) for frame in frames)
    reader = wire.Frames()
    assert [f for i in range(0, len(data), size) for f in reader.feed(data[i : i + size])] == frames


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        framed(b"not json"),
        framed(b"[1]"),
        framed(b'{"t": 1}'),
        framed(b"{}"),
        framed(b"\xff"),
        framed(b'{"t": "x", "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ],
)
def test_no_honest_frame_is_refused_by_name(data):
    with pytest.raises(wire.Malformed):
        wire.Frames().feed(data)


@given(st.binary(max_size=200))
def test_noise_is_read_or_refused(data):
    with contextlib.suppress(wire.Malformed):
        wire.Frames().feed(data)


@pytest.mark.parametrize("name", exercises(PS))
def test_the_cases_of_every_exercise_come_through(name):
    task, half = problem(name), grader(name)
    for case in task.cases(np.random.default_rng(0)):
        packed = json.dumps(wire.pack(half.serve(case), lambda _: {"oracle": 1}))
        there = wire.unpack(json.loads(packed), lambda described: described)
        assert isinstance(there, Case)
        assert there.title == case.title
        assert there.given.keys() == half.serve(case).given.keys()
        assert there.given.get("oracle", {"oracle": 1}) == {"oracle": 1}


def test_inputs_keep_their_kinds():
    given_ = {
        "a": np.arange(6.0).reshape(2, 3),
        "b": [(1, "x"), None, True],
        "c": Stream(np.ones(2), np.zeros((3, 2)), 0.5),
        3: float("nan"),
    }
    there = wire.unpack(json.loads(json.dumps(wire.pack(given_, refuse))), refuse)
    np.testing.assert_equal(there["a"], given_["a"])
    assert there["b"] == [(1, "x"), None, True]
    assert isinstance(there["c"], Stream)
    np.testing.assert_equal(there["c"].gradients, np.zeros((3, 2)))
    assert np.isnan(there[3])


@given(st.dictionaries(st.text(max_size=20), shapes, max_size=4), st.integers(0, 2**32 - 1))
def test_arrays_come_through_to_the_bit(named, seed):
    rng = np.random.default_rng(seed)
    arrays = {name: rng.normal(size=shape) * 10.0 ** rng.integers(-300, 300) for name, shape in named.items()}
    there = wire.unpack_arrays(json.loads(json.dumps(wire.pack_arrays(arrays))))
    assert there.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(there[name], array)
        assert there[name].shape == array.shape
        assert there[name].flags.writeable


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"w": None},
        {"w": ["AAAA", [1]]},
        {"w": ["AAAAAAAAAAA=", [2]]},
        {"w": ["AAAAAAAAAAA=", [-1]]},
        {"w": ["AAAAAAAAAAA=", [True]]},
        {"w": ["AAAAAAAAAAA=", [1.0]]},
        {"w": ["%%%%", [0]]},
        {"w": [1, [0]]},
        {"w": ["", [0], "more"]},
        {"w" * 300: ["", [0]]},
        {str(i): ["", [0]] for i in range(2000)},
        {"w": ["", [0] * 50]},
        {"w": ["", [2**62, 2**62, 0, 2**63]]},
    ],
)
def test_arrays_that_no_drive_makes_are_refused(value):
    with pytest.raises(wire.Malformed):
        wire.unpack_arrays(value)


@given(st.integers(0, 255), st.integers(0, 255), st.lists(shapes, max_size=3))
def test_numbers_come_through(one, other, sizes):
    arrays = [np.full(shape, 1.5) for shape in sizes] + [np.array(7), np.array([True])]
    a, b, there = wire.unpack_numbers(wire.pack_numbers(one, other, *arrays))
    assert (a, b) == (one, other)
    for x, y in zip(there, arrays, strict=True):
        np.testing.assert_array_equal(x, y)
        assert x.dtype.kind == ("f" if y.dtype.kind == "f" else "i")


@given(st.binary(max_size=80))
def test_numbers_that_are_none_are_refused(data):
    with contextlib.suppress(wire.Malformed):
        wire.unpack_numbers(wire.NUMBERS + data)


def test_texts_lose_what_steers_a_terminal_and_what_is_too_long():
    assert wire.text("a\x1b[31mb\u202e\x00c\nd") == "a[31mbc\nd"
    assert len(wire.text("x" * 10**6)) == wire.TEXT_CHARS
    with pytest.raises(wire.Malformed):
        wire.text(3)


def test_the_other_end_may_go():
    a, b = socket.socketpair()
    b.close()
    with pytest.raises(EOFError):
        wire.receive(a, wire.Frames())
    a.close()
