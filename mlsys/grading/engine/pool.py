"""Trusted workers, each running one notebook at a time through a warm parent that they share."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlsys.grading.engine import parent
from mlsys.grading.engine.executor import Executed
from mlsys.grading.engine.parent import Job, Parent

PR_SET_PDEATHSIG = 1

_connection: socket.socket | None = None
_package = Path()


def _begin(connections: Any, here: Parent, coordinator: int) -> None:
    """In a new worker: take a connection of one's own, and end with the coordinator, however that ends."""
    global _connection, _package
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != coordinator:
        os._exit(1)  # it had ended before
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the coordinator's to answer
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    mine = connections.get()
    for number, connection in enumerate(here.connections):
        if number != mine:
            connection.close()
    _connection, _package = here.connections[mine], here.package
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(here.connections) <= len(cores):
        os.sched_setaffinity(0, {cores[mine]})


def _run(job: Job) -> Executed:
    assert _connection is not None
    return parent.run(job, _connection, _package)


class Pool:
    """submit(job) -> a Future of what became of it. size : the notebooks that run at once"""

    def __init__(self, here: Parent, workers: int) -> None:
        self.size = workers
        context = multiprocessing.get_context("fork")  # they inherit the connections, and what is imported
        connections = context.SimpleQueue()
        for number in range(workers):
            connections.put(number)
        self._pool = ProcessPoolExecutor(workers, context, _begin, (connections, here, os.getpid()))
        self._pool.submit(os.getpid)  # the workers begin while the coordinator is at other work

    def submit(self, job: Job) -> Future[Executed]:
        """Run a notebook. The future raises BrokenProcessPool if a worker was lost, which no notebook can cause."""
        return self._pool.submit(_run, job)

    def close(self) -> None:
        """End the workers; what was not begun is not run."""
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def pool(assignment: str, workers: int) -> Iterator[Pool]:
    """Workers for one problem set, and the warm parent behind them."""
    with parent.warm(assignment, workers) as here:
        made = Pool(here, workers)
        try:
            here.ready()
            yield made
        except BaseException:
            here.process.kill()  # and with it what runs now, which nobody waits for any more
            raise
        finally:
            made.close()


__all__ = ["BrokenProcessPool", "Job", "Pool", "pool"]
