"""The batching policy on a deterministic clock: the same arrivals give the same batches on every machine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from mlsys.core.checks import nonnegative
from mlsys.inference.serve.policy import Limits, Outcome, Request, Signal, State, samples, step


class Ended(NamedTuple):
    """How a request ended: at finish_s, computed from start_s on in batch number `batch`; None if it never was."""

    request: Request
    outcome: Outcome
    finish_s: float
    start_s: float | None = None
    batch: int | None = None


def replay(
    limits: Limits,
    requests: Iterable[Request],
    service_s: Callable[[int], float],
    drain_s: float = math.inf,
) -> tuple[Ended, ...]:
    """Every request's end, in the order of the ends, under a model that takes service_s(samples) a batch.

    At one instant the end of a batch comes first, then arrivals in their order, then the drain, then the clock's own.
    A request arrives at its arrival_s. Raises ValueError for a service time that is no finite number >= 0.
    """
    coming = sorted(requests, key=lambda request: request.arrival_s)
    state, ended, batches = State(), list[Ended](), 0
    began_s = free_s = wake_s = math.inf
    while True:
        arrival_s = coming[0].arrival_s if coming else math.inf
        now_s = min(free_s, arrival_s, drain_s, wake_s)
        if now_s == math.inf:
            return tuple(ended)
        event: Request | Signal = Signal.WAKE
        if now_s == free_s:
            event, free_s = Signal.FINISH, math.inf
            for request in state.running:
                outcome = Outcome.ANSWERED if now_s <= request.deadline_s else Outcome.LATE
                ended.append(Ended(request, outcome, now_s, began_s, batches))
        elif now_s == arrival_s:
            event = coming.pop(0)
        elif now_s == drain_s:
            event, drain_s = Signal.DRAIN, math.inf
        state, decision = step(limits, state, now_s, event)
        wake_s = decision.wake_s
        if wake_s <= now_s:
            raise RuntimeError(f"step must ask for a time after now = {now_s:g}; got wake_s = {wake_s:g}.")
        ended += [Ended(request, reason, now_s) for request, reason in decision.refused]
        if decision.start:
            batches += 1
            began_s, free_s = now_s, now_s + nonnegative(service_s=service_s(samples(decision.start)))
