"""Starting a warm parent, and running jobs through it."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from mlsys.grading.engine import view
from mlsys.grading.engine.executor import Executed, Executor, Times
from mlsys.grading.engine.warm import PACKAGE
from mlsys.grading.errors import CourseError
from mlsys.grading.sandbox import box
from mlsys.grading.sandbox.box import Limits

HOME = "/notebook"  # of the student, in the box
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")
SETTINGS = (
    "ld.so.cache",
    "ld.so.conf",
    "passwd",
    "group",
    "nsswitch.conf",
    "localtime",
    "fonts",
    "mime.types",
)
WARM_S = 120
MOST_THREADS = 4


@dataclass(frozen=True)
class Job:
    """A notebook to run. notebook : its JSON;  key : the course's secret;  files : a folder to run it in a copy of

    unsafe : whether it runs without a sandbox
    """

    notebook: str
    assignment: str
    key: bytes
    files: str | None = None
    times: Times = field(default_factory=Times)
    limits: Limits = field(default_factory=Limits)
    unsafe: bool = False


@dataclass(frozen=True)
class Parent:
    """A warm parent. connections : one for each process that hands it jobs;  package : its copy of the package"""

    connections: list[socket.socket]
    package: Path
    process: subprocess.Popen[bytes]

    def ready(self) -> None:
        """Wait until it is warm. Raises CourseError if it cannot start."""
        for connection in self.connections:
            connection.settimeout(WARM_S)
            if connection.recv(16) != b"warm":
                raise CourseError("the process that runs notebooks did not start: what is above says why.")
            connection.settimeout(None)


@contextmanager
def warm(assignment: str, connections: int) -> Iterator[Parent]:
    """A warm parent for a problem set's notebooks, with so many connections."""
    folder = Path(tempfile.mkdtemp(prefix=PACKAGE))
    folder.chmod(0o755)
    try:
        view.make(assignment, folder)
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(connections)]
        theirs = [pair[1].fileno() for pair in pairs]
        command = [sys.executable, "-m", "mlsys.grading.engine.warm", *map(str, theirs)]
        process = subprocess.Popen(
            command, cwd=folder, env=environment(folder), pass_fds=theirs, start_new_session=True
        )
        for _, sock in pairs:
            sock.close()
        try:
            yield Parent([pair[0] for pair in pairs], folder, process)
        finally:
            for sock, _ in pairs:
                sock.close()
            process.terminate()
            process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environment(package: Path) -> dict[str, str]:
    """What a notebook's process finds in os.environ: nothing of the instructor's."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": HOME,
        "USER": "student",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(package),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # else the import of the debugger warns on the terminal
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "NBGRADER_EXECUTION": "autograde",
        "OMP_NUM_THREADS": str(
            min(os.cpu_count() or 1, MOST_THREADS)
        ),  # a box has room for so many processes
        "OMP_WAIT_POLICY": "passive",  # threads that wait by spinning would take the core from those that work
    }


_slots = itertools.count()


def run(job: Job, connection: socket.socket, package: Path) -> Executed:
    """Run a notebook to its end, however it ends."""
    executor = Executor(nbformat.reads(job.notebook, as_version=4), job.assignment, job.key, job.times)
    return executor.run(connection, {"box": _box(job, package), "unsafe": job.unsafe, "core": _core()})


def _core() -> int | None:
    """The core that this process is bound to, if it is: the notebook then runs on the same one.

    The two take turns, and where an oracle is asked thousands of times, waking a process on another core would take
    ten times as long as the answer.
    """
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    return next(iter(allowed)) if len(allowed) == 1 else None


def _box(job: Job, package: Path) -> dict[str, Any]:
    """The sandbox's plan: Python, the system's libraries and the package's copy, and nothing else."""
    readable = {*box.system(), sys.prefix, sys.base_prefix, str(package)}
    hidden = (str(view.PACKAGE),)
    return {
        "readable": sorted(readable),
        "masked": [path for path in hidden if any(Path(path).is_relative_to(r) for r in readable)],
        "home": HOME,
        "files": job.files,
        "environment": environment(package),
        "limits": asdict(job.limits),
        "slot": 1 + (os.getpid() * 64 + next(_slots) % 64) % 60_000,
    }
