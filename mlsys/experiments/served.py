"""A real server under load, held to account: what was sent and how it ended, beside the model's own answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from mlsys.core.seeds import generator
from mlsys.inference import command  # noqa: F401  # what the server's process runs: records of it age with it
from mlsys.inference.load import Http, Offline, Server, Trace, compare_answers, run
from mlsys.inference.serve.client import Client, Serving, serving
from mlsys.inference.serve.models import model

SAMPLES = 64
CLOSE = 1e-4  # of the largest answer: batches of another size sum in another order
APART = 100  # times that are two samples' answers apart at least, so that exchanged answers show


class Questions(NamedTuple):
    """name : of the model;  samples : (SAMPLES, inputs) of few digits, so that their JSON is short

    right : what the model says of each
    """

    name: str
    samples: list[list[float]]
    right: dict[int, np.ndarray]

    def same(self, given: Any, right: Any) -> bool:
        """Whether an answer is the right one, but for float32's rounding."""
        most = max(np.abs(answer).max() for answer in self.right.values())
        answer = np.asarray(given)
        return answer.shape == right.shape and bool(np.allclose(answer, right, rtol=0, atol=CLOSE * most))


def questions(name: str) -> Questions:
    """Some samples for a model, answered here, one by one. Raises ValueError if two answers are hard to tell apart."""
    here = model(name)
    x = generator(0, "served", name).standard_normal((SAMPLES, here.inputs)).round(2).astype(np.float32)
    right = np.concatenate([here.predict(row[None]) for row in x]).astype(np.float64)
    gaps = np.abs(right[:, None] - right).max(axis=2) + np.diag(np.full(SAMPLES, np.inf))
    if gaps.min() < APART * CLOSE * np.abs(right).max():
        raise ValueError(f"two samples of {name} have answers only {gaps.min():.2g} apart. Draw others.")
    return Questions(name, x.astype(np.float64).round(2).tolist(), dict(enumerate(right)))


@contextmanager
def running(asked: Questions, *options: str, warm: int = 200) -> Iterator[Serving]:
    """`mlsys serve` of the model that is asked, warm: it has answered so many requests."""
    with serving(asked.name, *options) as server:
        with Http(address(server.port), connections=8) as http:
            run(http, asked.samples, Offline(warm), keep_answers=False)
        yield server


def address(port: int) -> str:
    """Where a server on loopback takes samples."""
    return f"http://127.0.0.1:{port}/predict"


def counts(port: int) -> dict[str, float]:
    """What the server itself has counted: requests by outcome, batches and their samples, seconds of the model."""
    prefix = 'mlsys_requests_total{outcome="'
    with Client(port) as client:
        metrics = client.metrics()
    ended = {key[len(prefix) : -2]: value for key, value in metrics.items() if key.startswith(prefix)}
    return ended | {
        "batches": metrics["mlsys_batch_samples_count"],
        "samples": metrics["mlsys_batch_samples_sum"],
        "model_s": metrics["mlsys_model_seconds_sum"],
    }


def capacity(port: int, samples: list[list[float]], seconds: float, connections: int) -> float:
    """Answers a second with so many requests always under way, fewer than are refused; the second of two runs."""
    rate, queries = 0.0, 4 * connections
    with Http(address(port), connections) as http:
        for _ in range(2):
            rate = run(http, samples, Offline(queries), keep_answers=False).latencies().throughput
            queries = max(queries, round(rate * seconds))
    return rate


def under_load(
    port: int,
    asked: Questions,
    rate_per_s: float,
    seconds: float,
    connections: int,
    seed: int = 0,
    meanwhile: Callable[[], None] = lambda: None,
) -> tuple[Trace, dict[str, Any]]:
    """Poisson arrivals at this rate for so long: the trace, and its account, every answer held to the model's own.

    connections : more than the server may hold, or it is never seen to refuse
    meanwhile : called once the connections are there, before the first arrival
    """
    scenario = Server(rate_per_s, min_queries=1, min_duration_s=seconds)
    with Http(address(port), connections) as http:
        meanwhile()
        trace = run(http, asked.samples, scenario, seed)
    wrong = compare_answers(trace, asked.right, same=asked.same) if trace.counts["answered"] else None
    latencies = trace.latencies()
    return trace, {
        "rate_per_s": rate_per_s,
        "wall_s": trace.wall_s,
        "sent": len(trace),
        **trace.counts,
        "strays": trace.strays,
        "wrong": 0 if wrong is None else int(wrong.figure),
        "reasons": trace.reasons(),
        "throughput_per_s": latencies.throughput,
        "p50_s": finite(latencies.percentile(0.5)),
        "p99_s": finite(latencies.percentile(0.99)),
        "p99_interval_s": [finite(end) for end in latencies.interval(0.99)],
        "issued_late_s": float(np.quantile(trace.lateness_s, 0.99)),
    }


def finite(value: float) -> float | None:
    """The number, or None where there is none: strict JSON."""
    return float(value) if np.isfinite(value) else None
