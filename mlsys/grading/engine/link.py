"""The coordinator's end of a running notebook: what it says, as events in their order, up to a deadline."""

from __future__ import annotations

import contextlib
import json
import math
import select
import socket
import struct
import time
from collections import deque
from typing import Any, NamedTuple

from mlsys.grading.engine import wire

SAY_S, PIECE_BYTES = 10.0, 1 << 16
SOON_S = 0.02
DRAIN_S = 1.0  # for what a box said before its end


def _timeval(seconds: float) -> bytes:
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))


class Event(NamedTuple):
    """source : "output", "checks" or "control";  frame : what was said"""

    source: str
    frame: dict[str, Any]


class Deadline(Exception):
    """Time is up, and nothing was said."""


class Died(Exception):
    """The notebook's process has ended, or says what no honest one does; the message is for the report."""


class Link:
    """Four sockets to a notebook in its box. Every method that waits raises Died when there is nobody to wait for."""

    def __init__(self) -> None:
        pairs = {name: socket.socketpair() for name in ("orders", "output", "checks", "control")}
        self._mine = {name: pair[0] for name, pair in pairs.items()}
        self._theirs = [pair[1] for pair in pairs.values()]
        self._frames = {name: wire.Frames() for name in ("output", "checks")}
        self._lines = b""
        self._events: deque[Event] = deque()
        self._poll = select.poll()
        self._open = {self._mine[name].fileno(): name for name in ("checks", "output", "control")}
        for fd in self._open:
            self._poll.register(fd, select.POLLIN)
        for sock in self._mine.values():  # a process that does not read is no notebook that waits
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(SAY_S))
        self._mine["checks"].setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(SOON_S))
        self._drained_by = math.inf
        self.ending = ""  # what the box said of the end

    def hand_over(self, parent: socket.socket, job: dict[str, Any]) -> None:
        """Have the warm parent fork a child that holds the other ends."""
        socket.send_fds(parent, [json.dumps(job).encode()], [sock.fileno() for sock in self._theirs])
        for sock in self._theirs:
            sock.close()

    def order(self, **frame: Any) -> None:
        """Something to do, for the kernel."""
        self._say("orders", frame)

    def reply(self, frame: dict[str, Any] | bytes) -> None:
        """What `check` waits for."""
        self._say("checks", frame)

    def _say(self, name: str, frame: dict[str, Any] | bytes) -> None:
        """Send a frame, in pieces: one that reads a little now and then would hold us for hours else."""
        data, until = memoryview(wire.packed(frame)), time.monotonic() + SAY_S
        try:
            while data:
                self._mine[name].sendall(data[:PIECE_BYTES])
                data = data[PIECE_BYTES:]
                if data and time.monotonic() > until:
                    raise Died("the notebook does not read what it is sent")
        except OSError:
            raise Died(self.ending or "the notebook's process has ended") from None

    def next(self, until: float) -> Event:
        """The next event. Raises Deadline at the time `until` (of time.monotonic)."""
        while not self._events:
            now = time.monotonic()
            if not self._open or now > self._drained_by:
                raise Died(self.ending or "the notebook's process has ended")
            if now >= until:
                raise Deadline
            for fd, _ in self._poll.poll(1000 * min(until - now, self._drained_by - now, 60)):
                self._read(self._open[fd])
        return self._events.popleft()

    def _read(self, name: str) -> None:
        try:
            data = self._mine[name].recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._poll.unregister(self._mine[name])
            del self._open[self._mine[name].fileno()]
            if name == "control":  # the box has gone; what it said before is still read
                self._drained_by = time.monotonic() + DRAIN_S
        elif name == "control":
            self._lines += data
            for line in self._lines.splitlines():
                with contextlib.suppress(ValueError):
                    self.ending = ended(json.loads(line))
        else:
            try:
                self._events += [Event(name, frame) for frame in self._frames[name].feed(data)]
            except wire.Malformed as error:
                raise Died(f"it sent {error}") from None

    def next_check(self, until: float) -> Event:
        """As next; quicker where `check` goes on, as it does when an oracle is asked, and nothing else is said."""
        if not self._events and time.monotonic() < until and self._mine["checks"].fileno() in self._open:
            self._read("checks")
        return self.next(until)

    def interrupt(self) -> None:
        """As Ctrl-C would."""
        with contextlib.suppress(OSError):
            self._mine["control"].send(b"i")

    def close(self) -> None:
        """End everything in the box."""
        with contextlib.suppress(OSError):
            self._mine["control"].send(b"k")
        for sock in self._mine.values():
            sock.close()


ENDINGS = {
    "exit": "the notebook ended Python (code {code})",
    "signal": "the notebook's process was killed (signal {signal})",
    "memory": "the notebook took more memory than it may",
    "cpu": "the notebook took more processor time than it may",
    "files": "what was handed in could not be put into the sandbox ({reason})",
    "refused": "the sandbox could not be set up: {reason}",
}


def ended(told: dict[str, Any]) -> str:
    """What the box says of the end, in words."""
    return ENDINGS.get(told.get("event", ""), "the notebook's process has ended").format_map(
        {"code": "?", "signal": "?", "reason": "?", **told}
    )
