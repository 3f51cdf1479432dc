"""Models that take the same time in different ways: `python -m mlsys.experiments.stand_ins KIND` serves one.

What the rest of a server costs should not depend on how its model spends its time. Each answers how long it took, in
seconds, so that a client knows what is left.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import numpy as np

from mlsys.inference.serve.client import Client, encoded, serving
from mlsys.inference.serve.served import Served

SECONDS, INPUTS = 0.004, 64
BYTES, PIECE = (
    68 * 2**20,
    2**20,
)  # what streaming goes through, and how much of it between two looks at the clock


def waiting() -> None:
    """Sleep: the core is free meanwhile."""
    time.sleep(SECONDS)


def computing() -> None:
    """Work on 64 KiB, which a core's own cache holds."""
    small, end = np.ones(2**13), time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        small.sum()


def streaming() -> Callable[[], None]:
    """Read numbers from memory, more of them than the caches hold, one after another and round again."""
    large, at, step = np.ones(BYTES // 8), 0, PIECE // 8

    def work() -> None:
        nonlocal at
        end = time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            large[at : at + step].sum()
            at = (at + step) % len(large)

    return work


KINDS: dict[str, Callable[[], Callable[[], None]]] = {
    "nothing": lambda: lambda: None,
    "waiting": lambda: waiting,
    "computing": lambda: computing,
    "streaming": streaming,
}


def model(kind: str) -> Served:
    """A model of this kind. Raises KeyError for any other."""
    work = KINDS[kind]()

    def predict(x: np.ndarray) -> np.ndarray:
        began = time.perf_counter()
        work()
        return np.full((len(x), 1), time.perf_counter() - began)

    return Served(kind, INPUTS, 1, predict)


def rest(rounds: int, requests: int) -> Iterator[dict[str, float]]:
    """{kind: what one client's request takes beside its model, seconds} of each round; the servers take turns."""
    body = encoded(np.zeros((1, INPUTS)))
    with ExitStack() as stack:
        clients = {}
        for kind in KINDS:
            command = [sys.executable, "-m", "mlsys.experiments.stand_ins", kind]
            port = stack.enter_context(serving(kind, command=command)).port
            clients[kind] = stack.enter_context(Client(port))
        for _ in range(rounds):
            yield {kind: beside(client, body, requests) for kind, client in clients.items()}


def beside(client: Client, body: bytes, requests: int) -> float:
    """The median over the requests, after a few, of the latency less what the model says that it took.

    Raises RuntimeError if one is not answered.
    """
    took = []
    for _ in range(20 + requests):
        reply = client.send(body)
        if reply.outputs is None:
            raise RuntimeError(f"a request was not answered: {reply.error}")
        took.append(reply.latency_s - float(np.ravel(reply.outputs)[0]))
    return float(np.median(took[20:]))


def main(kind: str) -> int:
    """Serve it, one request at a time, on a port that is free; the exit status."""
    from mlsys.inference.serve.policy import Limits
    from mlsys.inference.serve.server import Settings, serve

    return serve(model(kind), Settings(Limits(1, 0.0, 256), port=0, deadline_ms=60_000))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
