"""Real servers in processes of their own, and many clients at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from mlsys.inference.serve.client import Client, Reply, Serving, serving

SCRIPT = Path(__file__).with_name("faulty_server.py")
Start = Callable[..., AbstractContextManager[Serving]]


@pytest.fixture(scope="session")
def faulty() -> Start:
    """faulty(seconds, *options) starts the server of faulty_server.py."""

    def start(seconds: float, *options: str) -> AbstractContextManager[Serving]:
        return serving("", str(seconds), *options, command=[sys.executable, str(SCRIPT)])

    return start


@pytest.fixture(scope="session")
def burst() -> Callable[..., list[tuple[np.ndarray, Reply]]]:
    """burst(port, n, each): n clients at once, each of which asks so often; every question with its reply."""

    def ask(port: int, clients: int, each: int = 1, deadline_ms: float | None = None) -> list:
        def one(k: int) -> list:
            rng = np.random.default_rng(k)
            with Client(port) as client:
                asked = [rng.integers(0, 1000, (1 + k % 2, 4)) for _ in range(each)]
                return [(x, client.predict(x, deadline_ms)) for x in asked]

        with ThreadPoolExecutor(clients) as pool:
            return [pair for pairs in pool.map(one, range(clients)) for pair in pairs]

    return ask
