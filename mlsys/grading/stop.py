"""Ctrl-C and the signal to end: obeyed between students, so that each is saved whole or not at all."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mlsys.grading.errors import CourseError

STOPPED = "stopped. Who was graded stays graded: go on with --resume."
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(CourseError):
    """Somebody wants the run to end."""


class Stop:
    """While this is entered, a signal raises Stopped where the run waits, or next begins to wait."""

    def __init__(self) -> None:
        self._asked, self._waiting = False, False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():  # no other is told of signals
            self._before = {number: signal.signal(number, self._ask) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: Any) -> None:
        if self._asked and number == signal.SIGINT:
            raise KeyboardInterrupt  # the second time: at once
        self._asked = True
        if self._waiting:
            raise Stopped(STOPPED)

    @contextmanager
    def here(self) -> Iterator[None]:
        """Here nothing is lost by stopping."""
        self._waiting = True
        try:
            if self._asked:
                raise Stopped(STOPPED)
            yield
        finally:
            self._waiting = False
