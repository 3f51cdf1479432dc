"""The notebook's end of the checker: inputs come one case at a time, and the answer's outputs go back.

Nothing is known here but the case at hand. The verdict stays with the checker; only the points come back.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from mlsys.grading.engine import wire
from mlsys.problems import problem
from mlsys.problems.attempt import attempt

_link: Link | None = None


class Link:
    """Requests, each answered before the next is sent. An interrupt waits until the reply is in."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._frames, self._lock = sock, wire.Frames(), threading.Lock()
        self._busy, self._held = False, False

    def ask(self, frame: dict[str, Any] | bytes) -> dict[str, Any]:
        """Send a frame, and wait for the reply."""
        with self._lock:
            self._busy = True
            wire.send(self._sock, frame)
            reply = wire.receive(self._sock, self._frames)
            self._busy = False
        if self._held or reply["t"] == "stopped":  # the interrupt itself may still be on its way
            self._held = False
            raise KeyboardInterrupt
        return reply

    @contextlib.contextmanager
    def whole(self) -> Iterator[None]:
        """Meanwhile a KeyboardInterrupt cuts no exchange in two, which would lose every later exercise."""
        if threading.current_thread() is not threading.main_thread():
            yield  # no signal reaches it
            return
        before = signal.signal(signal.SIGINT, self._interrupted)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _interrupted(self, number: int, frame: Any) -> None:
        if not self._busy:
            raise KeyboardInterrupt
        self._held = True


def connect(sock: socket.socket) -> None:
    """From now on, answers are judged at the other end of this socket."""
    global _link
    _link = Link(sock)


def connected() -> bool:
    """Whether this notebook is being graded in a sandbox."""
    return _link is not None


def check(name: str, answer: Any) -> float:
    """The points that the checker gives the answer. Raises ValueError for an exercise that does not exist."""
    task, link = problem(name), _link
    assert link is not None
    with link.whole():
        frame = link.ask({"t": "check", "name": name})
        while frame["t"] == "case":
            case = wire.unpack(frame["case"], lambda served: stand_in(served, link))
            with contextlib.redirect_stderr(sys.stdout):
                arrays, failure = attempt(task, answer, case)
            packed = None if arrays is None else wire.pack_arrays(arrays)
            frame = link.ask({"t": "result", "arrays": packed, "failure": failure[: wire.TEXT_CHARS]})
    return float(frame["points"])


def stand_in(served: dict[str, Any], link: Link) -> Any:
    """An object whose methods are called at the checker, which holds the real one and says what its attributes are."""
    names, number = list(served["attributes"]), served["object"]
    kinds = [type(value) for value in served["attributes"].values()]
    values = dict(served["attributes"])

    def call(method: int, *arguments: Any) -> Any:
        frame = link.ask(wire.pack_numbers(number, method, *map(_plain, arguments)))
        if frame["t"] == "raised":
            values.update(frame["attributes"])
            raise _error(*frame["error"])
        _, _, (state, result) = wire.unpack_numbers(frame["data"])
        values.update({name: kind(x) for name, kind, x in zip(names, kinds, state, strict=True)})
        return result if result.ndim else result[()]

    def attribute(name: str) -> property:
        return property(lambda _: values[name])

    members: dict[str, Any] = {name: attribute(name) for name in names}
    members |= {name: staticmethod(functools.partial(call, i)) for i, name in enumerate(served["methods"])}
    return type(served["name"], (), {"__slots__": (), **members})()


def _plain(value: Any) -> np.ndarray:
    """An argument as numbers: whole ones stay whole."""
    given = value.detach() if hasattr(value, "detach") else value
    plain = np.asarray(given)
    return plain if plain.dtype.kind in "biuf" else np.asarray(given, dtype=float)


def _error(module: str, name: str, message: str) -> Exception:
    """What the served object raised, by its name: a built-in error, or one of the problem's own."""
    kind = getattr(importlib.import_module(module), name, None)
    return kind(message) if isinstance(kind, type) and issubclass(kind, Exception) else RuntimeError(message)
