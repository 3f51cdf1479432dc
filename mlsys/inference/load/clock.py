"""Where a run's time comes from: the machine's clock, or one that only moves when it is told to."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from mlsys.core.checks import nonnegative

Line = tuple[int, float, Any]  # id, when, answer: what `done` leaves for the generator


class Clock(Protocol):
    """now() -> seconds;  wait(inbox, seconds) -> the inbox's next line, None once that long has passed."""

    def now(self) -> float: ...

    def wait(self, inbox: SimpleQueue[Line], seconds: float) -> Line | None: ...


class RealClock:
    """The machine's. It wakes some 0.1 ms late: counted in the latency, since that runs from the schedule."""

    now = staticmethod(time.perf_counter)

    @staticmethod
    def wait(inbox: SimpleQueue[Line], seconds: float) -> Line | None:
        try:
            return inbox.get(timeout=seconds)
        except Empty:
            return None


class VirtualClock:
    """Stands still but for advance(seconds), which the system calls for the time its work takes, and for waiting.

    So a run is exact and takes no time. For systems that answer in the issuing thread, such as Inline: an answer
    of another thread would find the time gone by.
    """

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += nonnegative(seconds=seconds)

    def wait(self, inbox: SimpleQueue[Line], seconds: float) -> Line | None:
        if not inbox.empty():
            return inbox.get()
        self._now += seconds
        return None
