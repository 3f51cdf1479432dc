"""Running a job through a warm parent."""

from __future__ import annotations

import itertools
import os
import socket
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from mlsys.grading.engine import view
from mlsys.grading.engine.executor import Executed, Executor, Times
from mlsys.grading.engine.start import HOME, Parent, environment, warm
from mlsys.grading.sandbox import box
from mlsys.grading.sandbox.box import Limits


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


__all__ = ["Job", "Parent", "environment", "run", "warm"]
