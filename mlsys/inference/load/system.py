"""What is put under load: the interface, what may come back, and the adaptor for a plain function."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol


class Query(NamedTuple):
    """id : of this query, unlike any other of the run;  sample_index : in the data set;  sample : itself"""

    id: int
    sample_index: int
    sample: Any


@dataclass(frozen=True)
class Refused:
    """Given to `done` in an answer's place: the system turned the query down, as one that is full should."""

    reason: str = ""


@dataclass(frozen=True)
class Failed:
    """Given to `done` in an answer's place: the query broke, and the system saw it."""

    reason: str = ""


Done = Callable[[int, Any], None]


class System(Protocol):
    """A system under test."""

    def issue(self, queries: Sequence[Query], done: Done) -> None:
        """Take the queries of one arrival; done(id, answer) once for each, from any thread, now or later.

        The answer is given away: a buffer that is written to again later would change it. What `issue` raises
        fails those of its queries that have no answer yet.
        """
        ...


class Inline:
    """A function of one sample as a system that answers before `issue` returns: one server, and a queue of arrivals."""

    def __init__(self, predict: Callable[[Any], Any]) -> None:
        self.predict = predict

    def issue(self, queries: Sequence[Query], done: Done) -> None:
        for id, _, sample in queries:
            try:
                answer = self.predict(sample)
            except Exception as error:
                answer = Failed(repr(error))
            done(id, answer)


class Threaded:
    """A function of one sample as a system of `workers` threads behind one queue. Close it, or use it in a `with`."""

    def __init__(self, predict: Callable[[Any], Any], workers: int = 1) -> None:
        self._inline = Inline(predict)
        self._waiting: SimpleQueue[tuple[Query, Done] | None] = SimpleQueue()
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        for worker in self._workers:
            worker.start()

    def _work(self) -> None:
        while (task := self._waiting.get()) is not None:
            query, done = task
            self._inline.issue((query,), done)

    def issue(self, queries: Sequence[Query], done: Done) -> None:
        for query in queries:
            self._waiting.put((query, done))

    def close(self) -> None:
        """Answer what is waiting, then end the threads."""
        for _ in self._workers:
            self._waiting.put(None)
        for worker in self._workers:
            worker.join()

    def __enter__(self) -> Threaded:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
