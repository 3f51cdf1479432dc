"""The pool's work on a Dask cluster: a worker there holds no gradebook, and runs notebooks as the pool's workers do.

A worker hands them to a warm parent of its own, which it starts as a program (never by a fork, which would carry its
threads and the cluster's sockets): a notebook that kills its kernel, or the warm parent's child, is no lost worker.
"""

from __future__ import annotations

import json
import queue
import tempfile
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

from mlsys.grading.engine import parent
from mlsys.grading.engine.checker import Entry
from mlsys.grading.engine.executor import Executed
from mlsys.grading.engine.parent import Job, Parent
from mlsys.grading.errors import CourseError

RETRIES = (
    2  # of a task whose worker had a fault of its own; of lost workers the scheduler allows so many itself
)
ANSWER_S, JOIN_S = 10, 60


class Sent(NamedTuple):
    """A job on its way to another machine. files : those of its folder, by name, with their bytes"""

    job: Job
    files: dict[str, bytes]
    version: str


# The coordinator's side


class Cluster:
    """submit(job) -> a Future of what became of it, as the pool's. size : the notebooks that run at once"""

    def __init__(self, client: Any, version: str) -> None:
        self._client, self._version = client, version
        self._tasks: set[Any] = set()
        self.size = max(1, sum(client.nthreads().values()))

    def submit(self, job: Job) -> Future[Executed]:
        """Run a notebook on some worker. The future raises KilledWorker if that cost too many workers."""
        sent = Sent(replace(job, files=None), _packed(job.files), self._version)
        name = f"mlsys-{uuid.uuid4()}"
        task = self._client.submit(execute, sent, key=name, pure=False, retries=RETRIES)
        self._tasks.add(task)
        told: Future[Executed] = Future()
        task.add_done_callback(lambda done: self._done(done, told))
        return told

    def _done(self, task: Any, told: Future[Executed]) -> None:
        self._tasks.discard(task)
        try:
            told.set_result(_unpacked(task.result()))
        except BaseException as error:
            told.set_exception(error if isinstance(error, Exception) else ConnectionError(str(error)))

    def close(self) -> None:
        """Give up what is not done. What runs on a worker now ends there, by its limits."""
        self._client.cancel(list(self._tasks), force=True)


@contextmanager
def cluster(address: str, version: str) -> Iterator[Cluster]:
    """The workers behind a scheduler, such as tcp://10.0.0.1:8786.

    version : the grader's, which theirs has to be
    Raises CourseError if `distributed` is not installed, if nobody answers, or if no worker has joined.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise CourseError("--scheduler needs Dask: pip install 'mlsys[cluster]'") from None
    with ExitStack() as stack:
        try:
            client = stack.enter_context(Client(address, timeout=ANSWER_S, set_as_default=False))
            client.wait_for_workers(1, timeout=JOIN_S)
        except (OSError, ValueError) as error:
            why = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise CourseError(
                f"no cluster to grade on at {address} ({why}). Start one: dask scheduler, and on each "
                f"machine, in an environment like this one: dask worker {address}"
            ) from None
        made = Cluster(client, version)
        stack.callback(made.close)
        yield made


def _packed(folder: str | None) -> dict[str, bytes]:
    paths = [p for p in Path(folder).rglob("*") if p.is_file() and not p.is_symlink()] if folder else []
    return {str(path.relative_to(folder or "")): path.read_bytes() for path in paths}


def _unpacked(told: str) -> Executed:
    """What a worker wrote, which is text and no pickle."""
    known = json.loads(told)
    notebook = nbformat.from_dict(known["notebook"])
    ledger = {name: Entry(**entry) for name, entry in known["ledger"].items()}
    return Executed(notebook, ledger, known["flags"], known["reason"])


# A worker's side


class _Warm:
    """A worker's warm parent for a problem set, and the connections to it that are free."""

    def __init__(self, assignment: str, threads: int) -> None:
        self._stack = ExitStack()
        self.parent: Parent = self._stack.enter_context(parent.warm(assignment, threads))
        try:
            self.parent.ready()
        except BaseException:
            self._stack.close()
            raise
        self.free: queue.Queue[Any] = queue.Queue()
        for connection in self.parent.connections:
            self.free.put(connection)

    def close(self) -> None:
        self._stack.close()


_lock = threading.Lock()
_warm: dict[str, _Warm] = {}


def execute(sent: Sent) -> str:
    """On a worker: run a notebook, and write down what became of it.

    Raises CourseError where this machine's grader is another one.
    """
    from distributed import get_worker

    from mlsys.grading.version import of_code

    worker, job = get_worker(), sent.job
    if of_code(job.assignment) != sent.version:
        raise CourseError(
            f"the worker {worker.address} has another version of mlsys, or of its exercises. "
            "Install the same there, and grade again with --resume."
        )
    here = _parent(job.assignment, worker.state.nthreads)
    with tempfile.TemporaryDirectory(prefix="mlsys-job-") as folder:
        for name, data in sent.files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        connection = here.free.get()
        try:
            done = parent.run(replace(job, files=folder), connection, here.parent.package)
        finally:
            here.free.put(connection)
    ledger = {name: {"points": e.points, "text": e.text} for name, e in done.ledger.items()}
    about = {"notebook": done.notebook, "ledger": ledger, "flags": done.flags, "reason": done.reason}
    return json.dumps(about)


def _parent(assignment: str, threads: int) -> _Warm:
    """The warm parent for this problem set; another one where the last has ended."""
    with _lock:
        here = _warm.get(assignment)
        if here is not None and here.parent.process.poll() is not None:
            here.close()
            here = None
        if here is None:
            here = _warm[assignment] = _Warm(assignment, threads)
        return here
