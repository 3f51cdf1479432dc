"""The load generator: issues queries when they are due, and accounts for every one of them.

One thread issues and keeps the books. `done` may be called from any thread: it reads the clock and puts a line into
a queue, no more, so that there is no lock to wait for and no count that two threads could get wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from typing import Any

import numpy as np

from mlsys.core.checks import positive, whole
from mlsys.core.seeds import generator
from mlsys.inference.load.clock import Clock, Line, RealClock
from mlsys.inference.load.scenarios import Offline, Scenario
from mlsys.inference.load.system import Failed, Query, Refused, System
from mlsys.inference.load.trace import Trace


def run(
    system: System,
    samples: Sequence[Any],
    scenario: Scenario,
    seed: int = 0,
    indices: Sequence[int] | None = None,
    timeout_s: float = 10.0,
    keep_answers: bool = True,
    clock: Clock | None = None,
) -> Trace:
    """Put a system under load. Every sample issued ends as answered, refused, failed or unaccounted.

    samples : the data set;  indices : which of them, in order, and so how many; None draws them by the seed,
        uniformly and with replacement (offline: every one once before any comes again)
    timeout_s : a system that gives no answer for that long, though it owes one, is taken for dead: a closed loop
        stops, and what is owed is unaccounted
    keep_answers : False keeps only what was refused or failed; NaNs then go unseen
    Raises ValueError if there are no samples or timeout_s <= 0, IndexError if an index has no sample.
    """
    if len(samples) == 0:
        raise ValueError("samples must hold at least one sample; got none.")
    timeout_s = positive(timeout_s=timeout_s)
    if indices is not None:
        indices = [whole(index=i) for i in indices]
        if indices and max(indices) >= len(samples):
            raise IndexError(f"indices must lie in [0, {len(samples)}); got {max(indices)}.")
    return _Run(system, samples, scenario, timeout_s, keep_answers, clock or RealClock()).go(seed, indices)


def run_accuracy(
    system: System, samples: Sequence[Any], scenario: Scenario, seed: int = 0, **more: Any
) -> Trace:
    """The same scenario over each sample exactly once, in an order drawn by the seed, every answer kept."""
    order = generator(seed, "accuracy").permutation(len(samples)).tolist()
    return run(system, samples, scenario, seed, indices=order, **more)


class _Run:
    """The books of one run."""

    def __init__(
        self,
        system: System,
        samples: Sequence[Any],
        scenario: Scenario,
        timeout_s: float,
        keep: bool,
        clock: Clock,
    ) -> None:
        self.system, self.samples, self.scenario = system, samples, scenario
        self.timeout_s, self.keep, self.clock = timeout_s, keep, clock
        self.inbox: SimpleQueue[Line] = SimpleQueue()
        self.index: list[int] = []  # of each sample, by its id
        self.ended: dict[int, float] = {}  # id -> when
        self.answers: dict[int, Any] = {}  # id -> what came back
        # Of each query. Lists of numbers, since a tuple a query would have Python's collector look through the
        # whole process now and then: 80 ms with torch in it, which the system under test did not spend.
        self.sizes: list[int] = []
        self.issued: list[float] = []
        self.due: list[float] = []
        self.strays = 0
        self.stopped: str | None = None
        put, now = self.inbox.put, clock.now
        self.done = lambda id, answer=None: put((id, now(), answer))

    def go(self, seed: int, indices: list[int] | None) -> Trace:
        offline = isinstance(self.scenario, Offline)
        size = len(indices) if indices and offline else self.scenario.samples_per_query
        lots = self._lots(seed, indices, size)
        queries = None if indices is None else -(-len(indices) // size)
        due = self.scenario.schedule(seed, queries) if queries != 0 else np.empty(0)
        self.start = self.clock.now()
        if due is None:
            self._streamed(lots, queries)
        else:
            self._scheduled(lots, due.tolist())
        self._settle_all()
        if self.owed and self.stopped is None:
            self.stopped = f"no answer for {self.timeout_s:g} s: {self.owed} samples unaccounted for"
        return self._trace(seed)

    def _lots(self, seed: int, indices: list[int] | None, size: int) -> Iterator[list[int]]:
        """The indices of each query's samples."""
        if indices is not None:
            yield from (indices[i : i + size] for i in range(0, len(indices), size))
            return
        rng, n = generator(seed, "samples"), len(self.samples)
        if isinstance(self.scenario, Offline):
            rounds = [rng.permutation(n) for _ in range(-(-size // n))]
            yield np.concatenate(rounds)[:size].tolist()
            return
        while True:
            block = rng.integers(n, size=size * max(1, 4096 // size)).tolist()
            yield from (block[i : i + size] for i in range(0, len(block), size))

    def _streamed(self, lots: Iterator[list[int]], queries: int | None) -> None:
        """The next query when the one before is over."""
        now, start = self.clock.now, self.start
        least, until = self.scenario.min_queries, start + self.scenario.min_duration_s
        for count, lot in enumerate(lots):
            if queries is None and count >= least and now() >= until:
                return
            self._issue(lot, None)
            if not self._settle_all():
                self._died(count + 1, queries)
                return

    def _scheduled(self, lots: Iterator[list[int]], due: list[float]) -> None:
        """Each query when it is due; in a closed loop not before the one before is over."""
        for count, (at, lot) in enumerate(zip(due, lots, strict=False)):
            self._wait_until(self.start + at)
            self._issue(lot, at)
            if self.scenario.closed and not self._settle_all():
                self._died(count + 1, len(due))
                return

    def _died(self, sent: int, of: int | None) -> None:
        planned = "" if of is None else f" of {of}"
        self.stopped = f"no answer for {self.timeout_s:g} s: stopped after {sent}{planned} queries"

    @property
    def owed(self) -> int:
        """How many samples have no end yet."""
        return len(self.index) - len(self.ended)

    def _issue(self, lot: list[int], due: float | None) -> None:
        first, samples = len(self.index), self.samples
        queries = [Query(id, i, samples[i]) for id, i in enumerate(lot, first)]
        self.index += lot
        self.sizes.append(len(lot))
        at = self.clock.now()
        self.issued.append(at)
        self.due.append(at - self.start if due is None else due)
        try:
            self.system.issue(queries, self.done)
        except Exception as error:  # what was answered before it broke stays answered
            self._settle_here()
            at, broken = self.clock.now(), Failed(repr(error))
            for id in range(first, len(self.index)):
                if id not in self.ended:
                    self._settle((id, at, broken))

    def _settle(self, line: Line) -> None:
        """Close one sample's account; a line for one that is not open is a stray."""
        id, at, answer = line
        if id in self.ended or not 0 <= id < len(self.index):
            self.strays += 1
            return
        self.ended[id] = at
        if self.keep or isinstance(answer, Refused | Failed):
            self.answers[id] = answer

    def _settle_here(self) -> None:
        """Settle what has come in already."""
        empty, get = self.inbox.empty, self.inbox.get
        while not empty():
            self._settle(get())

    def _wait_until(self, moment: float) -> None:
        """Settle what comes in until then; nothing if it is past."""
        while (left := moment - self.clock.now()) > 0:
            line = self.clock.wait(self.inbox, left)
            if line is not None:
                self._settle(line)

    def _settle_all(self) -> bool:
        """Settle until nothing is owed, or nothing has come for timeout_s; whether nothing is owed."""
        self._settle_here()
        while self.owed:
            line = self.clock.wait(self.inbox, self.timeout_s)
            if line is None:
                return False
            self._settle(line)
        return True

    def _trace(self, seed: int) -> Trace:
        ids, sizes = range(len(self.index)), self.sizes
        issued = np.repeat(np.array(self.issued, dtype=np.float64) - self.start, sizes)
        ended = np.array([self.ended.get(id, np.nan) for id in ids], dtype=np.float64) - self.start
        answers = tuple(self.answers.get(id) for id in ids)
        return Trace(
            scenario=self.scenario,
            seed=seed,
            query=np.repeat(np.arange(len(sizes)), sizes),
            index=np.array(self.index, dtype=np.int64),
            scheduled_s=np.repeat(np.array(self.due, dtype=np.float64), sizes),
            issued_s=issued,
            ended_s=ended,
            end=np.array([_end(id in self.ended, answers[id]) for id in ids], dtype=np.int64),
            answers=answers,
            strays=self.strays,
            stopped=self.stopped,
            wall_s=float(max(np.nanmax(ended, initial=0.0), np.max(issued, initial=0.0))),
        )


def _end(ended: bool, answer: Any) -> int:
    """Its place in trace.ENDS."""
    if not ended:
        return 3
    return 1 if isinstance(answer, Refused) else 2 if isinstance(answer, Failed) else 0
