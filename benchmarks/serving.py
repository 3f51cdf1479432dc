"""Serving with dynamic batching against serving one by one: the same server, model, clients and bound on the p99.

Closed-loop clients, each of which sends its next request when it has the answer to its last. More of them mean more
throughput, up to what the server can do, and more latency. What counts is the best throughput at any number of
clients whose 99th percentile stays within the bound, twenty times what one client alone waits for at max batch 1.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from benchmarks.race import Contention, Race, Row, compare
from mlsys.core.seeds import generator
from mlsys.inference.serve.client import Client, encoded, serving

MODELS = {"wide-mlp:4096": 3.0, "conv-net:32": None}  # with the goal, where batching should help
ALONE = (1, 0.0)  # (max batch, max wait in ms)
BATCHED = ((8, 0.0), (32, 0.0), (32, 2.0), (32, 10.0))
CLIENTS = (1, 2, 4, 8, 16, 32, 64)
SLACK = 20  # the bound on the p99, in latencies of one client alone
WARM_S = 0.3


class Point(NamedTuple):
    """throughput : answers a second;  p99_s : of their latencies, None without any"""

    throughput: float
    p99_s: float


def point(port: int, inputs: int, clients: int, seconds: float) -> Point:
    """So many closed-loop clients for so long, after a moment to warm up.

    Raises RuntimeError if one of them is not answered.
    """
    body = encoded(generator(0, "serving").standard_normal((1, inputs)))
    began = time.perf_counter()
    latencies: list[list[float]] = [[] for _ in range(clients)]
    failures: list[str] = []

    def run(own: list[float]) -> None:
        with Client(port) as client:
            while (now := time.perf_counter()) < began + WARM_S + seconds:
                reply = client.send(body)
                if reply.status != 200:
                    failures.append(f"{reply.status} {reply.error}")
                    return
                if now >= began + WARM_S:
                    own.append(reply.latency_s)

    threads = [threading.Thread(target=run, args=(own,)) for own in latencies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(f"{len(failures)} of {clients} clients were not answered: {failures[0]}")
    took = time.perf_counter() - began - WARM_S
    every = np.concatenate([np.array(own) for own in latencies])
    return Point(len(every) / took, float(np.quantile(every, 0.99, method="higher")))


def curves(model: str, settings: tuple, clients: tuple, seconds: float, rounds: int) -> dict[Any, Any]:
    """(max batch, max wait) -> clients -> the point of each round; the servers take turns, one at a time under load."""
    found: dict[Any, Any] = {one: {c: [] for c in clients} for one in settings}
    with ExitStack() as stack:
        ports = {}
        for max_batch, wait_ms in settings:
            options = (
                f"--max-batch {max_batch} --max-wait-ms {wait_ms} --queue 256 --deadline-ms 60000".split()
            )
            ports[max_batch, wait_ms] = stack.enter_context(serving(model, *options)).port
        with Client(ports[ALONE]) as client:
            inputs = client.health()["inputs"]
        for r in range(rounds):
            for c in clients:
                for one in settings[r % len(settings) :] + settings[: r % len(settings)]:
                    found[one][c].append(point(ports[one], inputs, c, seconds))
    return found


def best(points: dict[int, list[Point]], bound_s: float, r: int) -> float:
    """Seconds an answer in round r at the best number of clients within the bound; inf if none is."""
    within = [of[r].throughput for of in points.values() if of[r].p99_s <= bound_s]
    return 1 / max(within) if within else float("inf")


def race(model: str, goal: float | None, quick: bool) -> Iterator[Row]:
    """Each setting against max batch 1; the goal is that of the best of them."""
    settings = (ALONE, BATCHED[1]) if quick else (ALONE, *BATCHED)
    clients, rounds = ((1, 16, 64), 1) if quick else (CLIENTS, 3)
    with Contention() as others:
        found = curves(model, settings, clients, 1.0 if quick else 3.0, rounds)
    bound_s = SLACK * float(np.median([one.p99_s for one in found[ALONE][1]]))
    times = {one: np.array([best(found[one], bound_s, r) for r in range(rounds)]) for one in settings}
    fastest = min(settings[1:], key=lambda one: np.median(times[one]))
    for one in settings[1:]:
        table = {"batched": times[one], "max batch 1": times[ALONE]}
        case = f"{model}, max batch {one[0]}, wait {one[1]:g} ms, p99 <= {1e3 * bound_s:.0f} ms"
        about: dict[str, Any] = {"race": "serving", "case": case, "metric": "answer_s"}
        row = compare(
            table,
            "batched",
            "max batch 1",
            **about,
            contention=others.share,
            goal=goal if one == fastest else None,
        )
        row.spread["curve"] = {
            name: [[c, *np.median(of, axis=0).tolist()] for c, of in found[which].items()]
            for name, which in (("batched", one), ("max batch 1", ALONE))
        }  # of clients, throughput, p99_s
        yield row


def run(quick: bool) -> Iterator[Row]:
    """A model that batching helps, and one that it does not."""
    for model, goal in MODELS.items():
        yield from race(model, goal, quick)


RACE = Race(
    name="serving",
    tests=("tests/inference/serve/test_serve_batcher.py", "tests/inference/serve/test_serve_http.py"),
    modules=("mlsys.inference.command", "mlsys.inference.serve.client"),
    run=run,
)
