"""What passes between the sandbox and the checker: frames of JSON, with arrays in them as base64 of float64.

Towards the sandbox go inputs, of a few known types. From it come plain arrays and short texts, of bounded size:
nothing is ever unpickled, and nothing that a frame says is taken for code.
"""

from __future__ import annotations

import base64
import importlib
import json
import math
import socket
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from mlsys.problems.problem import Arrays

FRAME_BYTES = 32 << 20  # of one frame; an honest sender stays far below
ARRAYS, NAME_CHARS, TEXT_CHARS, LONGEST = 1000, 200, 2000, 1 << 24
_LENGTH = struct.Struct(">I")
NUMBERS = b"#"  # what a frame begins with that is not JSON
_HEAD = struct.Struct("<BBBB")


class Malformed(ValueError):
    """A frame that no honest sender writes."""


def packed(frame: dict[str, Any] | bytes) -> bytes:
    """A frame as it is sent."""
    data = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
    return _LENGTH.pack(len(data)) + data


def send(sock: socket.socket, frame: dict[str, Any] | bytes) -> None:
    """One frame, whole."""
    sock.sendall(packed(frame))


class Frames:
    """The frames in a stream of bytes that arrives piece by piece."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The frames that these bytes complete; numbers alone as {"t": "numbers", "data": bytes}.

        Raises Malformed for what is too long or is no JSON object.
        """
        self._data += data
        found = []
        while len(self._data) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._data)
            if length > FRAME_BYTES:
                raise Malformed(f"a frame of {length:,} bytes")
            if len(self._data) < _LENGTH.size + length:
                break
            text = bytes(self._data[_LENGTH.size : _LENGTH.size + length])
            del self._data[: _LENGTH.size + length]
            if text[:1] == NUMBERS:
                found.append({"t": "numbers", "data": text})
                continue
            try:
                frame = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise Malformed(f"a frame that is no JSON: {error}") from None
            if not isinstance(frame, dict) or not isinstance(frame.get("t"), str):
                raise Malformed("a frame without a type")
            found.append(frame)
        return found


def receive(sock: socket.socket, frames: Frames) -> dict[str, Any]:
    """The next frame, waiting for it; one at a time is ever under way. Raises EOFError at the end."""
    while True:
        data = sock.recv(1 << 16)
        if not data:
            raise EOFError("the checker has gone")
        for frame in frames.feed(data):
            return frame


# Inputs, towards the sandbox


def pack(value: Any, proxy: Callable[[Any], dict[str, Any]]) -> Any:
    """A case's input as JSON. proxy(object) describes what is served rather than sent, as an oracle is."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        data = np.ascontiguousarray(value)
        text = base64.b64encode(data.tobytes()).decode()
        return {"array": text, "dtype": data.dtype.str, "shape": value.shape}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        kind = type(value)
        return {
            "record": f"{kind.__module__}:{kind.__qualname__}",
            "items": [pack(item, proxy) for item in value],
        }
    if isinstance(value, list | tuple):
        return {type(value).__name__: [pack(item, proxy) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[pack(k, proxy), pack(v, proxy)] for k, v in value.items()]}
    return {"served": proxy(value)}


def unpack(value: Any, served: Callable[[dict[str, Any]], Any]) -> Any:
    """What `pack` was given; in the sandbox, of what the checker sent. served(description) makes the stand-in."""
    if not isinstance(value, dict):
        return value
    if "array" in value:
        flat = np.frombuffer(base64.b64decode(value["array"]), dtype=value["dtype"])
        return flat.reshape(value["shape"]).copy()
    if "record" in value:
        module, name = value["record"].split(":")
        return getattr(importlib.import_module(module), name)(*(unpack(v, served) for v in value["items"]))
    if "dict" in value:
        return {unpack(k, served): unpack(v, served) for k, v in value["dict"]}
    if "served" in value:
        return served(value["served"])
    return (
        tuple(unpack(v, served) for v in value["tuple"])
        if "tuple" in value
        else [unpack(v, served) for v in value["list"]]
    )


# Outputs, from the sandbox


def pack_arrays(arrays: Arrays) -> dict[str, Any]:
    """Plain float arrays by name, as JSON."""
    return {
        name: [base64.b64encode(np.ascontiguousarray(a, dtype="<f8").tobytes()).decode(), list(np.shape(a))]
        for name, a in arrays.items()
    }


def unpack_arrays(value: Any) -> Arrays:
    """The arrays in a frame. Raises Malformed unless they are just what `pack_arrays` makes."""
    if not isinstance(value, dict) or len(value) > ARRAYS:
        raise Malformed("arrays that are no table of at most a thousand")
    found = {}
    for name, item in value.items():
        if len(name) > NAME_CHARS or not isinstance(item, list) or len(item) != 2:
            raise Malformed("an array that is no pair of data and shape")
        found[name] = array(*item)
    return found


def array(data: Any, shape: Any) -> np.ndarray:
    """A float64 array from base64 and a shape. Raises Malformed where the two do not fit."""
    sizes = (
        isinstance(shape, list)
        and len(shape) <= 8
        and all(type(n) is int and 0 <= n < LONGEST for n in shape)
    )
    if not isinstance(data, str) or not sizes:
        raise Malformed("an array without data or shape")
    try:
        raw = base64.b64decode(data, validate=True)
    except ValueError:
        raise Malformed("an array that is no base64") from None
    if len(raw) != 8 * math.prod(shape):
        raise Malformed("an array whose data does not fit its shape")
    return np.frombuffer(raw, dtype="<f8").reshape(shape).astype(np.float64)


def text(value: Any) -> str:
    """A short text from the sandbox, without the characters that steer a terminal."""
    if not isinstance(value, str):
        raise Malformed("a text that is none")
    return "".join(c for c in value[:TEXT_CHARS] if c.isprintable() or c == "\n")


# Calls of what is served: thousands in a check, so without JSON


def pack_numbers(one: int, other: int, *arrays: np.ndarray) -> bytes:
    """Two small numbers and some arrays, as a frame; whole numbers as int64, all others as float64."""
    parts = [NUMBERS, _HEAD.pack(one, other, len(arrays), 0)]
    for a in arrays:
        whole = a.dtype.kind in "iub"
        parts.append(struct.pack(f"<BB{a.ndim}I", whole, a.ndim, *a.shape))
        parts.append(a.astype("<i8" if whole else "<f8").tobytes())
    return b"".join(parts)


def unpack_numbers(data: bytes) -> tuple[int, int, list[np.ndarray]]:
    """The same again. Raises Malformed for bytes that `pack_numbers` does not make."""
    try:
        one, other, count, _ = _HEAD.unpack_from(data, 1)
        place, arrays = 1 + _HEAD.size, []
        for _ in range(count):
            whole, ndim = data[place], data[place + 1]
            shape = struct.unpack_from(f"<{ndim}I", data, place + 2)
            place += 2 + 4 * ndim
            size = math.prod(shape)
            flat = np.frombuffer(data, "<i8" if whole else "<f8", size, place)
            arrays.append(flat.reshape(shape).copy())
            place += 8 * size
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise Malformed(f"numbers that are none ({error})") from None
    if place != len(data):
        raise Malformed("numbers with something after them")
    return one, other, arrays
