"""What a client may send, and what is said of anything else."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
from typing import Any, NamedTuple

import numpy as np
from starlette.requests import Request

READ_S = 10.0  # for the whole of a body: a client that stalls is not waited for any longer


class BadInput(Exception):
    """status : the HTTP status;  str(error) : what was wrong, and with which value."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Asked(NamedTuple):
    """inputs : (n, d) float32, n >= 1;  deadline_ms : from the request's arrival, None for the server's own."""

    inputs: np.ndarray
    deadline_ms: float | None


async def read(request: Request, most_bytes: int) -> bytes:
    """The whole body. A larger one is read to its end all the same, for only then does its sender read the answer."""
    parts, total = [], 0
    try:
        async with asyncio.timeout(READ_S):
            async for chunk in request.stream():
                total += len(chunk)
                if total <= most_bytes:
                    parts.append(chunk)
    except TimeoutError:
        raise BadInput(408, f"the body did not come within {READ_S:g} s; {total} bytes of it did") from None
    if total > most_bytes:
        raise BadInput(413, f"the body has {total} bytes; at most {most_bytes} are read")
    return b"".join(parts)


def parse(body: bytes, inputs: int, max_samples: int) -> Asked:
    """{"inputs": [[...], ...], "deadline_ms": number} -> Asked; the deadline may be left out.

    Raises BadInput: 400 for what is no such object, 413 for more samples than a batch may have.
    """
    try:
        asked = json.loads(body, parse_constant=_no_constant)
    except RecursionError:
        raise BadInput(400, "the body is nested too deeply") from None
    except ValueError as error:  # no JSON, no UTF-8, a number of thousands of digits
        raise BadInput(400, f"the body is not JSON: {error}") from None
    if not isinstance(asked, dict) or "inputs" not in asked:
        raise BadInput(400, f'the body must be {{"inputs": [[...], ...]}}; got {_short(asked)}')
    if unknown := asked.keys() - {"inputs", "deadline_ms"}:
        raise BadInput(400, f"unknown field {sorted(unknown)[0]!r}; there are inputs and deadline_ms")
    return Asked(_rows(asked["inputs"], inputs, max_samples), _deadline(asked.get("deadline_ms")))


def _rows(rows: Any, inputs: int, max_samples: int) -> np.ndarray:
    if not isinstance(rows, list) or not rows:
        raise BadInput(400, f"inputs must be a list of at least one row; got {_short(rows)}")
    if len(rows) > max_samples:
        raise BadInput(413, f"inputs has {len(rows)} rows; a request may have at most {max_samples}")
    for i, row in enumerate(rows):
        if not isinstance(row, list):
            raise BadInput(400, f"inputs[{i}] must be a list of {inputs} numbers; got {_short(row)}")
        if len(row) != inputs:
            raise BadInput(400, f"inputs[{i}] must have {inputs} numbers; got {len(row)}")
        if not set(map(type, row)) <= {int, float}:  # not bool either, which Python counts among the ints
            j = next(j for j, value in enumerate(row) if type(value) not in (int, float))
            raise BadInput(400, f"inputs[{i}][{j}] must be a number; got {_short(row[j])}")
    try:
        with np.errstate(over="ignore"):
            x = np.array(rows, dtype=np.float64).astype(np.float32)
        finite = np.isfinite(x)
    except OverflowError:  # an int beyond float64
        finite = np.array([[abs(value) < 2**128 for value in row] for row in rows])
    if not finite.all():
        i, j = map(int, np.argwhere(~finite)[0])
        raise BadInput(400, f"inputs[{i}][{j}] = {_short(rows[i][j])} is not finite in float32")
    return x


def _deadline(given: Any) -> float | None:
    if given is None:
        return None
    if type(given) not in (int, float) or not 0 < given < math.inf:
        raise BadInput(400, f"deadline_ms must be a number > 0; got {_short(given)}")
    return float(min(given, 1e12))


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _short(value: Any) -> str:
    """How JSON writes it, or its beginning: a message must not be as long as what was sent."""
    text = "".join(itertools.islice(json.JSONEncoder().iterencode(value), 60))
    return text if len(text) <= 60 else f"{text[:60]}…"
