"""A blocking client of the server, and a server in a process of its own: for load, for tests, for the book.

Needs nothing but the standard library and numpy. What goes wrong is a Reply too, never an exception: who counts
requests must count it.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np


class Reply(NamedTuple):
    """status : of HTTP, 0 if no answer came;  outputs : (n, outputs) or None;  error : why, else ""

    latency_s : from before the request was sent until its answer had been read
    """

    status: int
    outputs: np.ndarray | None
    late: bool
    error: str
    latency_s: float


class Client:
    """One connection, kept open; for one thread. A connection that breaks is a visible failure, and is opened anew.

    timeout_s : without a byte from the server, after which a request has failed
    """

    def __init__(self, port: int, host: str = "127.0.0.1", timeout_s: float = 30.0) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=timeout_s)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    def predict(self, inputs: np.ndarray, deadline_ms: float | None = None) -> Reply:
        """The model's outputs of inputs (n, d), with the server's own deadline if none is given."""
        return self.send(encoded(inputs, deadline_ms))

    def send(self, body: bytes) -> Reply:
        """POST this body to /predict. Never sent twice: the server may have computed what was not answered."""
        began = time.perf_counter()
        try:
            status, text, _ = self.ask("POST", "/predict", body)
            said = json.loads(text)
            outputs = np.array(said["outputs"]) if status == 200 else None
            late, error = said.get("late", False), said.get("error", "")
        except (OSError, http.client.HTTPException, ValueError, KeyError) as problem:
            status, outputs, late, error = 0, None, False, f"{type(problem).__name__}: {problem}"
        return Reply(status, outputs, late, error, time.perf_counter() - began)

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes, dict[str, str]]:
        """(status, body, headers) of any request. Raises OSError or HTTPException where no answer came."""
        try:
            self._connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            response = self._connection.getresponse()
            return response.status, response.read(), {k.lower(): v for k, v in response.getheaders()}
        except BaseException:
            self._connection.close()  # the next request opens another
            raise

    def health(self) -> dict[str, Any]:
        """What /health says: live, ready, model, inputs, outputs, max_batch, deadline_ms."""
        return json.loads(self.ask("GET", "/health")[1])

    def metrics(self) -> dict[str, float]:
        """Every sample of /metrics by its name and labels, such as mlsys_requests_total{outcome="answered"}."""
        lines = self.ask("GET", "/metrics")[1].decode().splitlines()
        pairs = (line.rpartition(" ") for line in lines if line and line[0] != "#")
        return {name: float(value) for name, _, value in pairs}


def encoded(inputs: np.ndarray, deadline_ms: float | None = None) -> bytes:
    """The body that asks for these inputs (n, d); made once, it can be sent often."""
    asked: dict[str, Any] = {"inputs": np.asarray(inputs).tolist()}
    if deadline_ms is not None:
        asked["deadline_ms"] = deadline_ms
    return json.dumps(asked).encode()


class Serving(NamedTuple):
    """process : the server's;  port : where it listens on loopback"""

    process: subprocess.Popen[str]
    port: int


@contextmanager
def serving(model: str, *options: str, command: Sequence[str] = ()) -> Iterator[Serving]:
    """`mlsys serve MODEL --port 0 options` in a process of its own, on loopback; ended with SIGTERM, or killed.

    command : another that says where it listens, in the same words
    Raises RuntimeError with what it said if it does not start.
    """
    start = [*command] or [sys.executable, "-m", "mlsys.cli", "serve", model, "--port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with (
        tempfile.TemporaryFile(
            "w+"
        ) as said,  # a pipe that nobody reads would stop the server once it is full
        subprocess.Popen(
            [*start, *options], stdout=subprocess.PIPE, stderr=said, text=True, env=environment
        ) as process,
    ):
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line.startswith("Serving "):
                process.wait(timeout=60)
                said.seek(0)
                raise RuntimeError(
                    f"{' '.join([*start, *options])} did not start: {line}{said.read()[-2000:]}"
                )
            yield Serving(process, int(line.rpartition(":")[2]))
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=60)
        finally:
            if process.poll() is None:
                process.kill()
