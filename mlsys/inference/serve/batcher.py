"""The batching policy run by asyncio, with the model in a worker thread.

The event loop alone touches the state, so there is no lock; the thread only computes. Each request's caller gets
exactly one Reply, whatever the model does.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Sequence
from itertools import count
from queue import SimpleQueue
from typing import NamedTuple

import numpy as np

from mlsys.inference.serve.policy import Decision, Limits, Outcome, Request, Signal, State, samples, step
from mlsys.inference.serve.records import Area, Observer, Record
from mlsys.inference.serve.served import Served


class Reply(NamedTuple):
    """outputs : (samples, outputs) float64 if answered, in time or late; None else, and detail says why."""

    outcome: Outcome
    outputs: np.ndarray | None = None
    detail: str = ""


class _Job(NamedTuple):
    inputs: np.ndarray
    arrived_s: float
    reply: asyncio.Future[Reply]


SAID = {
    Outcome.FULL: "the queue is full",
    Outcome.DRAINING: "the server is about to stop",
    Outcome.EXPIRED: "the deadline passed before the computation could start",
    Outcome.TOO_LARGE: "more samples than a batch may have",
}


class Batcher:
    """`async with Batcher(model, limits) as batcher: reply = await batcher.submit(x)`; the end drains it.

    observers : each is told of every request and every batch; what one raises goes to the loop's exception handler
    clock : seconds, never going back
    """

    def __init__(
        self,
        model: Served,
        limits: Limits,
        observers: Sequence[Observer] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.model, self.limits, self.clock = model, limits, clock
        self.observers = list(observers)
        now = clock()
        self.inside, self.waiting = (
            Area(now),
            Area(now),
        )  # in requests: all that were taken in; those in the queue
        self._state, self._ids, self._jobs = State(), count(), dict[int, _Job]()
        self._todo: SimpleQueue[tuple[tuple[Request, ...], list[np.ndarray]] | None] = SimpleQueue()
        self._timer: asyncio.TimerHandle | None = None
        self._began_s = now
        self._drained = asyncio.Event()

    async def __aenter__(self) -> Batcher:
        self._loop = asyncio.get_running_loop()
        # A daemon, so that a model that never returns cannot keep the process alive.
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        self.drain()
        await self._drained.wait()
        self._todo.put(None)

    @property
    def draining(self) -> bool:
        return self._state.draining

    @property
    def queued_samples(self) -> int:
        """Samples in the queue now; never above limits.queue."""
        return samples(self._state.waiting)

    async def submit(
        self, x: np.ndarray, deadline_s: float = math.inf, arrived_s: float | None = None
    ) -> Reply:
        """Compute the model of x (n, inputs), n >= 1, in float32; the reply, when there is one.

        deadline_s : on the batcher's clock;  arrived_s : when the request came in, if that was before now
        A caller that stops waiting is computed and recorded all the same.
        Raises ValueError if x is not that: it would spoil its neighbours' batch.
        """
        with np.errstate(over="ignore"):
            x = np.array(x, np.float32)  # a copy: the caller may go on with its own
        finite = np.isfinite(x).all()
        if x.ndim != 2 or x.shape[1] != self.model.inputs or not len(x) or not finite:
            raise ValueError(
                f"x must be (n, {self.model.inputs}) numbers that are finite in float32, n >= 1; "
                f"got shape {x.shape}{'' if finite else ', with NaN or inf'}."
            )
        now_s = self.clock()
        request = Request(next(self._ids), now_s, deadline_s, len(x))
        job = _Job(x, now_s if arrived_s is None else arrived_s, self._loop.create_future())
        self._jobs[request.id] = job
        self.inside.change(+1, now_s)
        self.waiting.change(+1, now_s)
        self._handle(request, now_s)
        return await job.reply

    def drain(self) -> None:
        """Accept nothing more, and finish what waits."""
        if not self.draining:
            self._handle(Signal.DRAIN, self.clock())

    async def drained(self, within_s: float) -> bool:
        """Drain, and wait so long for its end; then whoever still waits is failed, visibly. Was it over in time?"""
        self.drain()
        try:
            await asyncio.wait_for(self._drained.wait(), within_s)
            return True
        except TimeoutError:
            self._abandon(
                f"the server stopped {within_s:g} s after it was told to; the model had not answered"
            )
            return False

    def _handle(self, event: Request | Signal, now_s: float) -> None:
        self._state, decision = step(self.limits, self._state, now_s, event)
        self._carry_out(decision, now_s)

    def _carry_out(self, decision: Decision, now_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if decision.wake_s < math.inf:
            self._timer = self._loop.call_later(decision.wake_s - now_s, self._wake)
        if decision.start:
            self._began_s = now_s
            self.waiting.change(-len(decision.start), now_s)
            self._todo.put((decision.start, [self._jobs[request.id].inputs for request in decision.start]))
        for request, reason in decision.refused:
            self.waiting.change(-1, now_s)
            self._end(request, Reply(reason, None, SAID[reason]), now_s)
        if self._state.drained:
            self._drained.set()

    def _wake(self) -> None:
        self._timer = None
        self._handle(Signal.WAKE, self.clock())  # a clock that woke us early is asked again

    def _work(self) -> None:
        """The worker thread: one batch after the other."""
        while (todo := self._todo.get()) is not None:
            batch, inputs = todo
            began_s = self.clock()
            outputs, problem = evaluate(self.model, inputs)
            took_s = self.clock() - began_s
            try:
                self._loop.call_soon_threadsafe(self._computed, batch, outputs, problem, took_s)
            except RuntimeError:
                return  # the loop has gone, and with it whoever waited

    def _computed(
        self, batch: tuple[Request, ...], outputs: np.ndarray | None, problem: str, model_s: float
    ) -> None:
        if batch != self._state.running:
            return  # abandoned meanwhile
        began_s, now_s, total = self._began_s, self.clock(), samples(batch)
        self._handle(Signal.FINISH, now_s)  # first of all, so that the worker goes on
        row = 0
        for request in batch:
            own = None if outputs is None else outputs[row : row + request.samples]
            row += request.samples
            if own is None:
                reply = Reply(Outcome.FAILED, None, problem)
            elif not np.isfinite(own).all():
                reply = Reply(Outcome.FAILED, None, "the model returned NaN or inf for this request")
            else:
                reply = Reply(Outcome.ANSWERED if now_s <= request.deadline_s else Outcome.LATE, own)
            self._end(request, reply, now_s, began_s, total)
        for observer in self.observers:
            observer.computed(total, model_s)

    def _end(
        self,
        request: Request,
        reply: Reply,
        now_s: float,
        started_s: float | None = None,
        batch_samples: int | None = None,
    ) -> None:
        job = self._jobs.pop(request.id)
        self.inside.change(-1, now_s)
        taken = reply.outcome not in (Outcome.FULL, Outcome.DRAINING, Outcome.TOO_LARGE)
        queued_s = request.arrival_s if taken and request.deadline_s > request.arrival_s else None
        times = job.arrived_s, queued_s, started_s, now_s
        record = Record(request.id, request.samples, *times, batch_samples, reply.outcome, reply.detail)
        # In a callback of its own, so that an observer's bug costs nobody an answer; and before the caller goes on.
        self._loop.call_soon(self._tell, record)
        if not job.reply.done():  # its caller may have gone
            job.reply.set_result(reply)

    def _tell(self, record: Record) -> None:
        for observer in self.observers:
            observer.ended(record)

    def _abandon(self, why: str) -> None:
        now_s, state = self.clock(), self._state
        self._state = State(draining=True)
        self.waiting.change(-len(state.waiting), now_s)
        for request in (*state.running, *state.waiting):
            started_s = self._began_s if request in state.running else None
            self._end(request, Reply(Outcome.FAILED, None, why), now_s, started_s)
        self._carry_out(Decision(), now_s)


def evaluate(model: Served, parts: list[np.ndarray]) -> tuple[np.ndarray | None, str]:
    """The model's outputs (n, outputs) of the n rows of all parts, float64, a copy; or None, and why not."""
    try:
        x = np.concatenate(parts)  # a copy too: the model may write into it
        y = np.asarray(model.predict(x))
        if y.dtype.kind not in "iuf":
            return None, f"the model returned {y.dtype}, not numbers"
        if y.shape != (len(x), model.outputs):
            return None, f"the model returned shape {y.shape}, not {(len(x), model.outputs)}"
        return y.astype(np.float64), ""  # always a copy: the model may use its buffer again
    except BaseException as error:
        return None, f"the model raised {type(error).__name__}: {error}"
