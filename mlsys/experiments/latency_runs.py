"""Latencies on the real clock: a model's first calls, its neighbours' noise, and a server that stalls; a record.

The stall is a real one: the server's process is stopped by a signal for half a second, and goes on.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from mlsys.core.seeds import generator
from mlsys.experiments.runs import FACTOR
from mlsys.inference.load import Http, Inline, Paced, SingleStream, run
from mlsys.inference.metrics import Latencies
from mlsys.inference.serve.client import serving
from mlsys.report import Claim, Result, measure, record

STARTS = ("mlsys.inference.command",)  # what the server's process runs

CALLS = 2000
PROCESSES = 5  # fresh ones, each with its own first calls
NEIGHBOURS = 2  # busy processes beside the model
RATE, RUN_S, STALL_AT_S, STALL_S = 200.0, 5.0, 1.5, 0.5
ROUNDS = 5
SERVED = "digits-mlp"


def measured(calls: int = CALLS, processes: int = PROCESSES, rounds: int = ROUNDS) -> dict[str, Any]:
    """first : (processes, calls) of a model from its very first on;  quiet, noisy : the same, warm, alone and beside
    busy processes;  open, closed : (rounds, queries) of a server that stalls, from the schedule and from the sending.
    All in milliseconds, in the order of the calls; and of each stalled run how its queries ended.
    """
    first = [in_fresh_process(first_calls, calls) for _ in range(processes)]
    quiet = [in_fresh_process(warm_calls, calls) for _ in range(processes)]
    with neighbours(NEIGHBOURS):
        noisy = [in_fresh_process(warm_calls, calls) for _ in range(processes)]
    runs: dict[str, list[Any]] = {"open": [], "closed": []}
    for _ in range(rounds):
        for name in runs:
            runs[name].append(stalled(name == "closed"))
    return {
        "first_ms": first,
        "quiet_ms": quiet,
        "noisy_ms": noisy,
        "stalled": runs,
    }


def in_fresh_process(call: Callable[[int], list[float]], calls: int) -> list[float]:
    """call(calls), in a Python that has done nothing before."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(call, calls).result()


def _predict() -> Callable[[Any], Any]:
    import torch

    from mlsys.inference.serve.models import wide_mlp

    torch.set_num_threads(1)
    return wide_mlp(512).predict


def _latencies(predict: Callable[[Any], Any], calls: int) -> list[float]:
    x = list(generator(0, "calls").standard_normal((64, 1, 64)).astype(np.float32))
    trace = run(Inline(predict), x, SingleStream(calls), keep_answers=False)
    return _ms(trace.latencies().latency_s)


def first_calls(calls: int) -> list[float]:
    """Milliseconds of a model's calls, from its first on."""
    return _latencies(_predict(), calls)


def warm_calls(calls: int) -> list[float]:
    """The same after as many calls again, which are not counted."""
    predict = _predict()
    _latencies(predict, calls)
    return _latencies(predict, calls)


def spin() -> None:
    """A busy neighbour."""
    while True:
        sum(range(100_000))


@contextmanager
def neighbours(count: int) -> Any:
    """So many busy processes beside."""
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=spin, daemon=True) for _ in range(count)]
    for each in others:
        each.start()
    try:
        time.sleep(2.0)  # until they spin
        yield
    finally:
        for each in others:
            each.terminate()
            each.join()


def stall(pid: int, at_s: float, for_s: float) -> threading.Thread:
    """Stop a process after so long, for so long; the thread that does it, started."""

    def work() -> None:
        time.sleep(at_s)
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(for_s)
        finally:
            os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def stalled(closed: bool) -> dict[str, Any]:
    """The latencies in milliseconds of a server that stops for STALL_S, and how its queries ended.

    Of the closed loop from the sending, as such a tester counts, and from the schedule too.
    """
    rng = generator(0, "digits")
    samples = list(rng.integers(0, 17, (64, 64)).astype(float))
    options = ["--max-wait-ms", "0", "--queue", "1024", "--deadline-ms", "60000"]
    with serving(SERVED, *options) as server:
        url = f"http://127.0.0.1:{server.port}/predict"
        with Http(url, connections=256, timeout_s=30) as system:
            run(system, samples, Paced(RATE, 100))  # connections and caches warm
            stopper = stall(server.process.pid, STALL_AT_S, STALL_S)
            trace = run(system, samples, Paced(RATE, int(RATE * RUN_S), closed=closed), timeout_s=30)
            stopper.join()
    found: dict[str, Any] = {"ms": _ms(trace.latencies().latency_s), **trace.counts}
    if closed:
        found["issued_ms"] = _ms(trace.latencies("issued").latency_s)
    return found


def _ms(latency_s: np.ndarray) -> list[float]:
    return [float(f"{1e3 * each:.4g}") for each in latency_s]


def recorded() -> dict[str, Any]:
    """What the record `latency_runs` has."""
    return record.load("latency_runs")["result"]


def latencies(ms: list[float]) -> Latencies:
    """Recorded milliseconds as a record of latencies; its wall time is theirs, one after another."""
    seconds = np.array(ms) / 1e3
    return Latencies(latency_s=seconds, wall_s=float(seconds.sum()))


def hidden() -> Result:
    """What a closed loop's p99 leaves out, on the real clock."""
    claim = Claim(
        "closed-loop-hides-real",
        "A closed loop that counts from the sending hides a stall: a real server, stopped for "
        f"{STALL_S:g} s of {RUN_S:g}.",
        "Tene (2013)",
        "log10 of the p99 that users see over the p99 that the closed loop reports, round by round",
        "positive",
        FACTOR,
    )
    runs = recorded()["stalled"]
    pairs = zip(runs["open"], runs["closed"], strict=True)
    p99 = [
        (latencies(o["ms"]).percentile(0.99), latencies(c["issued_ms"]).percentile(0.99)) for o, c in pairs
    ]
    return measure(claim, [float(np.log10(users / loop)) for users, loop in p99])


CLAIMS: dict[str, Callable[[], Result]] = {"closed-loop-hides-real": hidden}
