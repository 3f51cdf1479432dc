"""A line of requests on a clock that only jumps: a batcher is asked what to do, and all is written down."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mlsys.problems.coerce import Unfit, parts

ASKED = 60  # times a request at most, on average


class Load(NamedTuple):
    """Requests and limits, in whole milliseconds.

    come, deadline (n,) : when each request arrives, and until when its answer is of use;  a request's id is its place
    most : requests a batch;  wait : patience of the first;  room : that may wait
    fixed, each : a batch of b is computed in fixed + each * b
    """

    come: np.ndarray
    deadline: np.ndarray
    most: int
    wait: int
    room: int
    fixed: int
    each: int


class Log(NamedTuple):
    """start, refused (n,) : when, -1 for never;  batches : (time, ids) of each"""

    start: np.ndarray
    refused: np.ndarray
    batches: list[tuple[int, list[int]]]

    def late(self, load: Load) -> int:
        """How many answers came after their deadline."""
        ends = np.full(len(self.start), -math.inf)
        for start, ids in self.batches:
            ends[ids] = start + load.fixed + load.each * len(ids)
        return int((ends > load.deadline).sum())


class Line:
    """One worker, a queue, and a batcher that decides.

    limits : (most, wait, room, fixed, each), as a batcher is made with
    serve(batcher, show=print) : let it serve all requests; the Log. show : is told each event in a line
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self.limits = load[2:]

    def serve(self, batcher: Any, show: Any = None) -> Log:
        """Raises Unfit where the batcher asks for what cannot be, or forgets a request."""
        load = self._load
        n = len(load.come)
        log = Log(np.full(n, -1.0), np.full(n, -1.0), [])
        coming, waiting, free, wake, idle = list(range(n)), set[int](), math.inf, math.inf, True
        for _ in range(ASKED * (n + 1)):
            now = min(load.come[coming[0]] if coming else math.inf, free, wake)
            if now == math.inf:
                break
            if now == free:
                idle, free = True, math.inf
            arrived = [i for i in coming if load.come[i] == now]
            coming = coming[len(arrived) :]
            waiting |= set(arrived)
            told = [(i, int(load.deadline[i])) for i in arrived]
            refused, batch, wake = _decision(batcher.event(int(now), told, idle), int(now))
            _check(refused, batch, waiting, idle, load.most, int(now))
            log.refused[refused] = now
            waiting -= {*refused, *batch}
            if batch:
                idle, free = False, now + load.fixed + load.each * len(batch)
                log.start[batch] = now
                log.batches.append((int(now), batch))
            if show:
                show(f"{now:.0f} ms: arrived {told}, refused {refused}, start {batch}, wake {wake:g}")
        else:
            raise Unfit(
                f"The batcher was asked {ASKED * (n + 1)} times for {n} requests. Is wake always near?"
            )
        if waiting:
            raise Unfit(
                f"At the end the requests {sorted(waiting)[:5]} still wait: neither started nor refused. Nobody asks "
                "any more once no request comes, no batch runs, and wake is math.inf."
            )
        return log


def _decision(result: Any, now: int) -> tuple[list[int], list[int], float]:
    """What `event` returned, as plain lists of ids and a time."""
    refused, batch, wake = parts(result, "refused", "batch", "wake")
    try:
        ids = [[int(i) for i in group] for group in (refused, batch)]
        wake = float(wake)
    except (TypeError, ValueError) as error:
        raise Unfit(
            f"At {now} ms event should return two lists of ids and a time; got {refused!r}, {batch!r}, {wake!r}."
        ) from error
    if not wake > now:
        raise Unfit(f"At {now} ms wake is {wake:g}: it must be later than now, or math.inf.")
    return ids[0], ids[1], wake


def _check(refused: list[int], batch: list[int], waiting: set[int], idle: bool, most: int, now: int) -> None:
    named = [*refused, *batch]
    unknown = [i for i in named if i not in waiting]
    if unknown:
        raise Unfit(
            f"At {now} ms request {unknown[0]} is named, which does not wait: it has been answered or refused before."
        )
    if len(set(named)) < len(named):
        raise Unfit(f"At {now} ms a request is named twice: refused {refused}, batch {batch}.")
    if len(batch) > most:
        raise Unfit(f"At {now} ms a batch of {len(batch)} is to start; most = {most}.")
    if batch and not idle:
        raise Unfit(f"At {now} ms a batch is to start while another one is computed: idle is False.")


def load(
    rng: np.random.Generator,
    n: int,
    gap: float,
    patience: tuple[int, int],
    most: int = 4,
    wait: int = 20,
    room: int = 50,
    cost: tuple[int, int] = (10, 3),
) -> Load:
    """Poisson arrivals a `gap` apart in the mean, each with a patience drawn from a range, in milliseconds."""
    come = np.cumsum(np.ceil(rng.exponential(gap, size=n))).astype(int)
    return Load(come, come + rng.integers(*patience, size=n, endpoint=True), most, wait, room, *cost)


def practice(seed: int) -> Line:
    """Twelve requests for trying a batcher on."""
    return Line(load(np.random.default_rng(seed), 12, 8, (30, 90)))
