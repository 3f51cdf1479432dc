"""The server on trial: below, at and beyond its capacity, and killed under load. Nothing may be lost or wrong.

    sent = answered + refused + failed,   unaccounted = 0,   wrong = 0

and, where it lived to say so, the server's own counts agree with the client's. Every answer is checked against the
model's own. `measured()` takes five minutes; measured(seconds=2) is the same in short.
"""

from __future__ import annotations

import math
import threading
import time
from contextlib import ExitStack
from typing import Any

import numpy as np

from mlsys.experiments.served import Questions, capacity, counts, questions, running, under_load
from mlsys.inference.load import Trace
from mlsys.inference.serve.client import Serving, serving

MODEL = "wide-mlp:4096"
QUEUE, MAX_BATCH = 64, 16
OPTIONS = f"--max-batch {MAX_BATCH} --max-wait-ms 2 --queue {QUEUE} --deadline-ms 1000".split()
LOADS = (0.5, 1.0, 2.0)  # times the capacity
AFTER_KILL = 0.5  # of the capacity: so fast do they come while the server is killed
CONNECTIONS = 4 * QUEUE  # more than the server may hold


def measured(seconds: float = 60.0, name: str = MODEL, options: list[str] = OPTIONS) -> dict[str, Any]:
    """capacity_per_s, and of each phase, `0.5`, `1`, `2` and `kill`, the account of mlsys.experiments.served and

    server : its own counts (of the phase with the kill, those since the restart)
    killed_s, back_s : from the start of the phase;  answered_after : how many were answered since it was back
    """
    asked = questions(name)
    with running(asked, *options) as server:
        most = capacity(server.port, asked.samples, min(seconds, 10.0), QUEUE // 2)
        phases = {f"{load:g}": _phase(server, asked, load * most, seconds) for load in LOADS}
    phases["kill"] = _killed(options, asked, AFTER_KILL * most, seconds)
    return {"model": name, "options": options, "capacity_per_s": most, "phases": phases}


def _phase(server: Serving, asked: Questions, rate_per_s: float, seconds: float) -> dict[str, Any]:
    before = counts(server.port)
    _, account = under_load(server.port, asked, rate_per_s, seconds, CONNECTIONS)
    after = counts(server.port)
    return account | {"server": {name: value - before[name] for name, value in after.items()}}


def _killed(options: list[str], asked: Questions, rate_per_s: float, seconds: float) -> dict[str, Any]:
    """SIGKILL after a third of the time, and at once another server on the same port.

    The load goes on for longer than `seconds` if that is too short for a server to come back within it.
    """
    with ExitStack() as stack:
        began = time.perf_counter()
        server = stack.enter_context(running(asked, *options))
        start_s = time.perf_counter() - began
        moments = [math.nan] * 3  # start, killed, back
        at_end: list[Serving] = []

        def kill() -> None:
            time.sleep(seconds / 3)
            moments[1] = time.perf_counter()
            server.process.kill()
            server.process.wait()
            at_end.append(stack.enter_context(serving(asked.name, *options, "--port", str(server.port))))
            moments[2] = time.perf_counter()

        killer = threading.Thread(target=kill)

        def begin() -> None:
            moments[0] = time.perf_counter()
            killer.start()

        lasts = max(seconds, seconds / 3 + 3 * start_s)
        trace, account = under_load(server.port, asked, rate_per_s, lasts, CONNECTIONS, meanwhile=begin)
        killer.join()
        killed_s, back_s = moments[1] - moments[0], moments[2] - moments[0]
        return account | {
            "server": counts(server.port),
            "killed_s": killed_s,
            "back_s": back_s,
            "answered_after": _answered_after(trace, back_s),
        }


def _answered_after(trace: Trace, moment_s: float) -> int:
    return int(np.sum((trace.end == 0) & (trace.scheduled_s > moment_s)))


def faults(result: dict[str, Any]) -> list[str]:
    """What must not be, in words; empty if the trial was passed."""
    found = []
    for name, phase in result["phases"].items():
        ended = phase["answered"] + phase["refused"] + phase["failed"]
        if phase["sent"] != ended:
            found.append(f"{name}: {phase['sent']} sent, {ended} ended")
        found += [
            f"{name}: {phase[what]} {what}" for what in ("unaccounted", "strays", "wrong") if phase[what]
        ]
        if name != "kill":
            found += [f"{name}: {said}" for said in _disagreements(phase)]
    after = result["phases"]["kill"]
    if not after["failed"]:
        found.append("kill: nobody noticed it")
    if not after["answered_after"]:
        found.append("kill: no answer after the restart")
    return found


def _disagreements(phase: dict[str, Any]) -> list[str]:
    """Where the server's own counts and the client's differ."""
    server = phase["server"]
    pairs = {
        "answered": server["answered"] + server["late"],
        "refused": server["full"] + server["draining"],
        "failed": server["expired"] + server["failed"] + server["too large"] + server["bad input"],
    }
    return [
        f"the client counts {phase[name]} {name}, the server {value:g}"
        for name, value in pairs.items()
        if phase[name] != value
    ]
