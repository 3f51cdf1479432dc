"""Starting a warm parent. What is imported here is light: it warms while its coordinator imports the rest."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlsys.grading.engine import view
from mlsys.grading.engine.warm import PACKAGE
from mlsys.grading.errors import CourseError

HOME = "/notebook"  # of the student, in the box
WARM_S = 120
MOST_THREADS = 4  # a box has room for so many processes


@dataclass(frozen=True)
class Parent:
    """A warm parent. connections : one for each process that hands it jobs;  package : its copy of the package"""

    connections: list[socket.socket]
    package: Path
    process: subprocess.Popen[bytes]

    def is_ready(self) -> bool:
        """Whether it is warm, or has given up."""
        return bool(select.select(self.connections[:1], [], [], 0)[0])

    def ready(self) -> None:
        """Wait until it is warm. Raises CourseError if it cannot start."""
        for connection in self.connections:
            connection.settimeout(WARM_S)
            if connection.recv(16) != b"warm":
                raise CourseError("the process that runs notebooks did not start: what is above says why.")
            connection.settimeout(None)

    def close(self) -> None:
        """End it, and with it every notebook that it runs."""
        for connection in self.connections:
            connection.close()
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.package, ignore_errors=True)


def begin(assignment: str, connections: int) -> Parent:
    """A warm parent for a problem set's notebooks, with so many connections; `ready` waits until it is warm."""
    folder = Path(tempfile.mkdtemp(prefix=PACKAGE))
    try:
        folder.chmod(0o755)
        view.make(assignment, folder)
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(connections)]
        theirs = [pair[1].fileno() for pair in pairs]
        command = [sys.executable, "-m", "mlsys.grading.engine.warm", assignment, *map(str, theirs)]
        process = subprocess.Popen(
            command, cwd=folder, env=environment(folder), pass_fds=theirs, start_new_session=True
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    for _, sock in pairs:
        sock.close()
    return Parent([pair[0] for pair in pairs], folder, process)


_early: dict[tuple[str, int], Parent] = {}


def early(assignment: str, connections: int) -> None:
    """Begin one that the next `warm` with the same arguments will take."""
    _early[assignment, connections] = begin(assignment, connections)


def forget() -> None:
    """End what was begun early and nobody took."""
    while _early:
        _early.popitem()[1].close()


@contextmanager
def warm(assignment: str, connections: int) -> Iterator[Parent]:
    """A warm parent that is ended in the end."""
    parent = _early.pop((assignment, connections), None) or begin(assignment, connections)
    try:
        yield parent
    finally:
        parent.close()


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
        "OMP_NUM_THREADS": str(min(os.cpu_count() or 1, MOST_THREADS)),
        "OMP_WAIT_POLICY": "passive",  # threads that wait by spinning would take the core from those that work
    }
