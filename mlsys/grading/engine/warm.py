"""The warm parent: a process that has imported what notebooks import, and forks one child a submission.

It is started clean (`python -m mlsys.grading.engine.warm SET DESCRIPTOR…`), from a copy of the package without the
grader's half and without what the problem set teaches, and it computes nothing: so there is nothing in its memory
that a child could dig out.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import socket
import sys
from collections.abc import Iterable
from typing import Any

# What notebooks import, and what IPython imports when it begins, or when the first cell fails or draws. Not pyplot: at
# its import it looks for the shell that it is to show figures in.
MODULES = (
    "bdb",
    "sqlite3",
    "tornado.platform.asyncio",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "IPython.core.application",
    "IPython.core.completerlib",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.core.ultratb",
    "numpy",
    "numpy.random",
    "torch",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.projections",
    "matplotlib.style",
    "matplotlib.colorbar",
    "matplotlib.mlab",
    "PIL.PngImagePlugin",
    "IPython.core.pylabtools",
    "stack_data",
    "pygments.lexers.python",
    "mlsys.grading.engine.kernel",
    "mlsys.grading.engine.answering",
    "mlsys.grading.engine.unsafe",
    "mlsys.grading.sandbox.box",
)
KERNEL = "IPython.core.ultratb"  # with this, what any kernel of IPython's has imported before its first cell is there
NEEDED = {"mlsys", "numpy", "torch"}
kernels: set[str] = set()  # the names of what was there by then
JOB_BYTES = 1 << 20
PACKAGE = "mlsys-package-"  # the beginning of the name of the folder that this is started in


def main(assignment: str, descriptors: list[int]) -> None:
    """Fork a child for every job of a problem set that comes through one of these sockets, until all are closed."""
    connections = {fd: socket.socket(fileno=fd) for fd in descriptors}
    _forget_the_package()
    gc.disable()  # what is imported stays
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # nobody debugs a graded notebook, and it warns on stderr
    for module in MODULES:
        importlib.import_module(module)
        if module == KERNEL:
            kernels.update(name.partition(".")[0] for name in sys.modules)
        if _abandoned(connections.values()):
            return
    del sys.modules["debugpy"]
    _public_halves(assignment)
    gc.enable()
    gc.collect()
    gc.freeze()  # else a collection in a child would write to all that is here, and so copy it
    for connection in connections.values():
        with contextlib.suppress(OSError):
            connection.send(b"warm")
    while connections:
        ready, _, _ = select.select(list(connections), [], [], 0.2)
        for fd in ready:
            try:
                data, fds, _, _ = socket.recv_fds(connections[fd], JOB_BYTES, 4)
            except OSError:  # its other end was killed
                data, fds = b"", []
            if not data:
                connections.pop(fd).close()
                continue
            _fork(json.loads(data), fds, list(connections))
        _reap()


def _abandoned(connections: Iterable[socket.socket]) -> bool:
    """Whether nobody is left at the other ends."""
    poll = select.poll()
    for connection in connections:
        poll.register(connection, 0)  # a closed end is told in any case
    return len(poll.poll(0)) == len(list(connections))


def _forget_the_package() -> None:
    """The installed package is not to be found beside the copy that this process was started from."""
    sys.meta_path[:] = [f for f in sys.meta_path if "__editable__" not in getattr(f, "__module__", "")]
    here = os.getcwd()
    sys.path[:] = [
        p for p in sys.path if p == here or not os.path.isdir(os.path.join(p, "mlsys", "problems"))
    ]


def _public_halves(assignment: str) -> None:
    """Import the students' half of the exercises."""
    from mlsys.problems import exercises, problem

    for name in exercises(assignment):
        problem(name)


def _fork(job: dict[str, Any], fds: list[int], connections: list[int]) -> None:
    """A child in its box; fds are its orders, output, checks and control."""
    if os.fork():
        for fd in fds:
            os.close(fd)
        return
    try:
        for fd in connections:
            os.close(fd)
        orders, output, checks, control = fds
        _run(job, (orders, output, checks), control)
    except BaseException as error:
        told = {"event": "refused", "reason": f"{type(error).__name__}: {error}"}
        os.write(fds[3], json.dumps(told).encode() + b"\n")
    finally:
        os._exit(1)


def _run(job: dict[str, Any], keep: tuple[int, int, int], control: int) -> None:
    from mlsys.grading.engine import unsafe
    from mlsys.grading.sandbox import box

    if job["core"] is not None:
        os.sched_setaffinity(0, {job["core"]})

    wanted: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in job["box"].items()}
    here = box.Box(**{**wanted, "limits": box.Limits(**wanted["limits"])})
    run = unsafe.run if job["unsafe"] else box.run
    run(here, lambda: _notebook(keep), keep, control)


def _notebook(keep: tuple[int, int, int]) -> None:
    """What the student's process does. Without a new seed every child would draw its parent's random numbers."""
    import numpy as np
    import torch

    from mlsys.grading.engine import kernel

    np.random.mtrand._rand.seed()
    torch.default_generator.seed()
    _forget_shadowed()
    kernel.serve(*keep)


def _forget_shadowed() -> None:
    """Modules that were imported here, and that a file handed in takes the place of, as in a kernel of its own."""
    here = {entry.name.removesuffix(".py") for entry in os.scandir(".") if entry.name.endswith(".py")}
    here |= {entry.name for entry in os.scandir(".") if os.path.exists(f"{entry.name}/__init__.py")}
    for name in [name for name in sys.modules if name.partition(".")[0] in here - kernels - NEEDED]:
        del sys.modules[name]


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


if __name__ == "__main__":
    main(sys.argv[1], [int(fd) for fd in sys.argv[2:]])
    # Whoever started this takes the package's copy away, or has been killed.
    if os.path.basename(os.getcwd()).startswith(PACKAGE):
        shutil.rmtree(os.getcwd(), ignore_errors=True)
