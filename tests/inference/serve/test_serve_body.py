"""What may be sent: read as it was meant, or refused with the place and the value that were wrong."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loops import finish
from starlette.requests import Request

from mlsys.inference.serve import body as bodies
from mlsys.inference.serve.body import BadInput, parse

SINGLE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(st.lists(SINGLE, min_size=3, max_size=3), min_size=1, max_size=4))
def test_what_is_written_in_json_is_read_to_the_bit(rows: list[list[float]]) -> None:
    asked = parse(json.dumps({"inputs": rows}).encode(), 3, 4)
    assert asked.deadline_ms is None
    assert asked.inputs.dtype == np.float32
    assert np.array_equal(asked.inputs, np.array(rows, np.float32))


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=9)
)
def test_any_json_is_read_or_refused(inputs: object) -> None:
    """Never another error, and what is read is finite and of the shape that was asked for."""
    try:
        asked, said = parse(json.dumps({"inputs": inputs}).encode(), 2, 4), ""
    except BadInput as error:
        asked, said = None, str(error)
    assert len(said) < 200
    assert asked is None or (asked.inputs.shape[1] == 2 and np.isfinite(asked.inputs).all())


@given(st.binary(max_size=40))
def test_any_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        parse(body, 2, 4)


BAD = {
    b"": "not JSON",
    b"\xff\xfe\xfd": "not JSON",
    b"[" * 100_000: "nested too deeply",
    b'{"inputs": ' + b"9" * 5000 + b"}": "not JSON",
    b"[1, 2]": 'must be {"inputs": [[...], ...]}; got [1, 2]',
    b'{"input": [[1, 2]]}': "must be",
    b'{"inputs": [[1, 2]], "deadline": 3}': "unknown field 'deadline'",
    b'{"inputs": "a"}': 'at least one row; got "a"',
    b'{"inputs": []}': r"at least one row; got []",
    b'{"inputs": [1, 2]}': "inputs[0] must be a list of 2 numbers; got 1",
    b'{"inputs": [[1, 2], [3]]}': "inputs[1] must have 2 numbers; got 1",
    b'{"inputs": [[1, [2]]]}': "inputs[0][1] must be a number; got [2]",
    b'{"inputs": [[1, "2"]]}': 'inputs[0][1] must be a number; got "2"',
    b'{"inputs": [[true, 2]]}': "inputs[0][0] must be a number; got true",
    b'{"inputs": [[null, 2]]}': "inputs[0][0] must be a number; got null",
    b'{"inputs": [[1, NaN]]}': "NaN is no number of JSON",
    b'{"inputs": [[1, -Infinity]]}': "-Infinity is no number of JSON",
    b'{"inputs": [[1, 1e39]]}': "inputs[0][1] = 1e+39 is not finite in float32",
    b'{"inputs": [[1, 2], [1e999, 1]]}': "inputs[1][0] = Infinity is not finite in float32",
    b'{"inputs": [[1, 1' + b"0" * 400 + b"]]}": "is not finite in float32",
    b'{"inputs": [[1, 2]], "deadline_ms": 0}': "deadline_ms must be a number > 0; got 0",
    b'{"inputs": [[1, 2]], "deadline_ms": true}': "deadline_ms must be a number > 0; got true",
    b'{"inputs": [[1, 2]], "deadline_ms": 1e999}': "deadline_ms must be a number > 0; got Infinity",
}


@pytest.mark.parametrize("body", BAD, ids=lambda body: body[:30].decode(errors="replace"))
def test_bad_input_is_named(body: bytes) -> None:
    with pytest.raises(BadInput) as error:
        parse(body, 2, 4)
    assert BAD[body] in str(error.value)
    assert error.value.status == 400


def test_more_rows_than_a_batch_may_have() -> None:
    with pytest.raises(BadInput, match="inputs has 5 rows; a request may have at most 4") as error:
        parse(json.dumps({"inputs": [[1, 2]] * 5}).encode(), 2, 4)
    assert error.value.status == 413


def test_a_deadline_is_read() -> None:
    assert parse(b'{"inputs": [[1, 2]], "deadline_ms": 5}', 2, 4).deadline_ms == 5


def request(*chunks: bytes) -> Request:
    """One whose body comes in these chunks, the last never ending if it is empty."""
    coming = list(chunks)

    async def receive() -> dict:
        chunk = coming.pop(0)
        if not chunk:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": chunk, "more_body": bool(coming)}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def test_a_body_is_read_up_to_its_bound() -> None:
    assert finish(bodies.read(request(b"abc", b"de"), 5)) == b"abcde"
    with pytest.raises(BadInput, match="the body has 6 bytes; at most 5 are read") as error:
        finish(bodies.read(request(b"abc", b"def"), 5))
    assert error.value.status == 413


def test_a_body_that_stalls_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_S", 0.02)
    with pytest.raises(BadInput, match=r"did not come within 0.02 s; 3 bytes of it did") as error:
        finish(bodies.read(request(b"abc", b""), 5))
    assert error.value.status == 408
