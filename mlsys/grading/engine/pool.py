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

from mlsys.grading.engine import executor, parent
from mlsys.grading.engine.executor import Executed
from mlsys.grading.engine.parent import Job, Parent

PR_SET_PDEATHSIG = 1
RETRIES = 2  # of a notebook whose worker was lost, by no fault of the notebook's

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
    """submit(job) -> what has a result(): what became of it. size : the notebooks that run at once"""

    def __init__(self, here: Parent, workers: int) -> None:
        self.size, self._here = workers, here
        self._pool = self._begun()
        self._pool.submit(os.getpid)  # the workers begin while the coordinator is at other work

    def submit(self, job: Job) -> Task:
        """Run a notebook."""
        return Task(self, job)

    def start(self, job: Job) -> tuple[ProcessPoolExecutor, Future[Executed]]:
        """Run it by the workers that there are, or by new ones where the system has ended one."""
        try:
            return self._pool, self._pool.submit(_run, job)
        except BrokenProcessPool:
            self.renew(self._pool)
            return self._pool, self._pool.submit(_run, job)

    def renew(self, broken: ProcessPoolExecutor) -> None:
        """New workers in place of these, unless they have been replaced."""
        if broken is self._pool:
            broken.shutdown(cancel_futures=True)
            self._pool = self._begun()

    def _begun(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("fork")  # they inherit the connections, and what is imported
        connections = context.SimpleQueue()
        for number in range(self.size):
            connections.put(number)
        return ProcessPoolExecutor(self.size, context, _begin, (connections, self._here, os.getpid()))

    def close(self) -> None:
        """End the workers; what was not begun is not run."""
        self._pool.shutdown(cancel_futures=True)


class Task:
    """A job in a pool. A worker may be ended by the system, for want of memory say: then it is run again."""

    def __init__(self, pool: Pool, job: Job) -> None:
        self._pool, self._job = pool, job
        self._workers, self._future = pool.start(job)

    def result(self) -> Executed:
        """What became of it. Raises BrokenProcessPool if it cost too many workers."""
        for _ in range(RETRIES):
            try:
                return self._future.result()
            except BrokenProcessPool:
                self._pool.renew(self._workers)
                self._workers, self._future = self._pool.start(self._job)
        return self._future.result()


@contextmanager
def pool(assignment: str, key: bytes, workers: int) -> Iterator[Pool]:
    """Workers for one problem set, and the warm parent behind them. key : the course's secret"""
    with parent.warm(assignment, workers) as here:
        executor.prepare(assignment, key, here.is_ready)
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
