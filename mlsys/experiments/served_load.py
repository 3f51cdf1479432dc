"""The real server under open-loop load: how latency grows with the rate, by largest batch and longest wait."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from mlsys.experiments.served import Questions, capacity, counts, questions, running, under_load
from mlsys.inference.serve.client import Serving

MODELS = ("wide-mlp:4096", "conv-net:32", "digits-mlp")
SETTINGS = ((1, 0), (8, 0), (32, 0), (32, 5))  # (max batch, max wait in ms)
RATES = (0.2, 0.5, 0.8, 1.2, 2.0, 3.2)  # times what the server can do with batches of 1
QUEUE, CONNECTIONS = 64, 256


def measured(seconds: float = 5.0, models: tuple[str, ...] = MODELS) -> dict[str, Any]:
    """model -> alone_per_s, the capacity without batching, and "MAXxWAIT" -> capacity_per_s and points, a rate each.

    A point is an account of mlsys.experiments.served, the server's mean batch, and the model's seconds a batch. The
    servers stand side by side and take turns, rate by rate, one at a time under load.
    """
    return {name: _curves(name, seconds) for name in models}


def _curves(name: str, seconds: float) -> dict[str, Any]:
    asked = questions(name)
    with ExitStack() as stack:
        servers = {
            f"{batch}x{wait}": stack.enter_context(running(asked, *_options(batch, wait)))
            for batch, wait in SETTINGS
        }
        most = {key: capacity(s.port, asked.samples, seconds, QUEUE // 2) for key, s in servers.items()}
        alone = most["1x0"]
        found: dict[str, Any] = {key: {"capacity_per_s": most[key], "points": []} for key in servers}
        for i, share in enumerate(RATES):
            for key, server in servers.items():
                found[key]["points"].append(_point(server, asked, share * alone, seconds, i))
    return {"alone_per_s": alone, **found}


def _options(batch: int, wait_ms: int) -> list[str]:
    return f"--max-batch {batch} --max-wait-ms {wait_ms} --queue {QUEUE} --deadline-ms 60000".split()


def _point(server: Serving, asked: Questions, rate: float, seconds: float, seed: int) -> dict[str, Any]:
    before = counts(server.port)
    _, account = under_load(server.port, asked, rate, seconds, CONNECTIONS, seed)
    after = counts(server.port)
    batches = after["batches"] - before["batches"]
    return account | {
        "mean_batch": (after["samples"] - before["samples"]) / batches if batches else None,
        "model_s_a_batch": (after["model_s"] - before["model_s"]) / batches if batches else None,
    }
