"""The dynamic batcher's decisions, as a pure function of a state, an event and the time.

There is one worker, which computes one batch at a time. Nothing here reads a clock, waits or computes: `step` says
which requests to refuse, which to compute now, and when it wants to be asked again. mlsys.inference.serve.batcher
runs it on a real clock, mlsys.inference.serve.replay on a deterministic one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, StrEnum
from itertools import accumulate
from typing import NamedTuple

from mlsys.core.checks import nonnegative, whole


class Outcome(StrEnum):
    """How a request ended; each ends in exactly one of these ways."""

    ANSWERED = "answered"
    LATE = "late"  # answered, after its deadline
    FULL = "full"  # refused: no room in the queue
    DRAINING = "draining"  # refused: the server is about to stop
    EXPIRED = "expired"  # refused: its deadline passed before its batch started
    TOO_LARGE = "too large"  # refused: more samples than a batch may have
    FAILED = "failed"  # computed, but the model raised, or returned what is no answer
    BAD_INPUT = "bad input"  # never reached the batcher


class Signal(Enum):
    """What may happen besides the arrival of a request."""

    FINISH = "the running batch has ended"
    DRAIN = "accept nothing more; compute what waits, without further waiting"
    WAKE = "the time has come that was asked for"


class Request(NamedTuple):
    """One request: it is answered as a whole.

    id : tells requests apart;  arrival_s : on the clock of `step`;  samples : rows that it asks for, >= 1
    deadline_s : on the same clock; at this instant it has passed
    """

    id: int
    arrival_s: float
    deadline_s: float = math.inf
    samples: int = 1


@dataclass(frozen=True)
class Limits:
    """What an operator sets.

    max_batch : most samples that are computed at once
    max_wait_s : longest that the first waiting request is kept for others to join it, while the worker is idle
    queue : most samples that wait; not counted are those being computed
    Raises TypeError or ValueError if one does not fit, or queue < max_batch: no full batch could ever gather.
    """

    max_batch: int = 16
    max_wait_s: float = 0.002
    queue: int = 256

    def __post_init__(self) -> None:
        whole(1, max_batch=self.max_batch)
        nonnegative(max_wait_s=self.max_wait_s)
        if whole(1, queue=self.queue) < self.max_batch:
            raise ValueError(
                f"queue must hold a batch, max_batch = {self.max_batch} samples; got {self.queue}. "
                "Enlarge the queue or make the batch smaller."
            )


class State(NamedTuple):
    """waiting : in order of arrival;  running : the batch being computed, () if the worker is idle."""

    waiting: tuple[Request, ...] = ()
    running: tuple[Request, ...] = ()
    draining: bool = False

    @property
    def drained(self) -> bool:
        """Nothing is accepted any more, and nothing is left to do."""
        return self.draining and not self.waiting and not self.running


class Decision(NamedTuple):
    """refused : who, and why;  start : compute these now, () for none;  wake_s : ask again then, inf for never."""

    refused: tuple[tuple[Request, Outcome], ...] = ()
    start: tuple[Request, ...] = ()
    wake_s: float = math.inf


def samples(requests: tuple[Request, ...]) -> int:
    """Samples of all of these requests together."""
    return sum(request.samples for request in requests)


def step(limits: Limits, state: State, now_s: float, event: Request | Signal) -> tuple[State, Decision]:
    """One event: (state, event) -> (state, decision).

    event : a Request, which arrives, or a Signal. Times never go back from one call to the next.
    In turn: refuse whoever waits past a deadline; take the event in; if the worker is idle and a batch is due,
    start it. A batch is the longest prefix of the queue that has at most max_batch samples. It is due when it can
    grow no further, when its first request has waited max_wait_s, or while draining. If a deadline would pass
    during the wait, there is no wait: an answer may still come in time.
    Work is linear in the queue. Raises ValueError for a FINISH while nothing runs.
    """
    expired = tuple(request for request in state.waiting if request.deadline_s <= now_s)
    refused = tuple((request, Outcome.EXPIRED) for request in expired)
    waiting = (
        tuple(request for request in state.waiting if request.deadline_s > now_s)
        if expired
        else state.waiting
    )
    running, draining = state.running, state.draining
    if isinstance(event, Request):
        reason = _refusal(limits, waiting, draining, now_s, event)
        if reason is None:
            waiting = (*waiting, event)
        else:
            refused = (*refused, (event, reason))
    elif event is Signal.FINISH:
        if not running:
            raise ValueError("event must not be FINISH while no batch runs; pass it once for each start.")
        running = ()
    elif event is Signal.DRAIN:
        draining = True
    start: tuple[Request, ...] = ()
    if waiting and not running and (draining or now_s >= due_s(limits, waiting)):
        start = running = batch(limits, waiting)
        waiting = waiting[len(start) :]
    wake_s = min((request.deadline_s for request in waiting), default=math.inf)
    if waiting and not running:
        wake_s = min(wake_s, due_s(limits, waiting))
    return State(waiting, running, draining), Decision(refused, start, wake_s)


def _refusal(
    limits: Limits, waiting: tuple[Request, ...], draining: bool, now_s: float, request: Request
) -> Outcome | None:
    """Why this arrival is refused; None if it is taken in. What no retry can mend is said first."""
    if request.samples > limits.max_batch:
        return Outcome.TOO_LARGE
    if draining:
        return Outcome.DRAINING
    if request.deadline_s <= now_s:
        return Outcome.EXPIRED
    if samples(waiting) + request.samples > limits.queue:
        return Outcome.FULL
    return None


def batch(limits: Limits, waiting: tuple[Request, ...]) -> tuple[Request, ...]:
    """The longest prefix of `waiting` that has at most max_batch samples."""
    totals = accumulate(request.samples for request in waiting[: limits.max_batch])  # each has one at least
    return waiting[: sum(total <= limits.max_batch for total in totals)]


def due_s(limits: Limits, waiting: tuple[Request, ...]) -> float:
    """When an idle worker starts the batch of these requests, at least one; -inf for at once."""
    first = batch(limits, waiting)
    if len(first) < len(waiting) or samples(first) == limits.max_batch:
        return -math.inf
    due = waiting[0].arrival_s + limits.max_wait_s
    return due if all(request.deadline_s > due for request in waiting) else -math.inf
