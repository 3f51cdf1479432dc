"""No sandbox: the same processes and commands as the sandbox's, and none of its protection."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import tempfile
from collections.abc import Callable, Sequence
from typing import NoReturn

from mlsys.grading.sandbox.box import Box


def run(box: Box, body: Callable[[], None], keep: Sequence[int], control: int) -> NoReturn:
    """Run body() in a temporary folder with the box's environment; never returns, as box.run does not.

    Nothing is limited and nothing is hidden: for `--unsafe-no-sandbox` alone.
    """
    os.setsid()
    home = tempfile.mkdtemp(prefix="mlsys-unsafe-")
    child = os.fork()
    if not child:
        code = 1
        try:
            os.setpgid(0, 0)
            os.close(control)
            _prepare(box, home)
            body()
            code = 0
        finally:
            os._exit(code)
    for fd in keep:
        os.close(fd)
    _supervise(child, control)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what it left running
    shutil.rmtree(home, ignore_errors=True)
    os._exit(0)


def _prepare(box: Box, home: str) -> None:
    if box.files:
        shutil.copytree(box.files, home, dirs_exist_ok=True)
    os.chdir(home)
    os.environ.clear()
    os.environ.update({**box.environment, "HOME": home})
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)


def _supervise(child: int, control: int) -> None:
    """Obey the commands until the child has ended, and say how it did."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            told = {"event": "exit", "code": code} if code >= 0 else {"event": "signal", "signal": -code}
            with contextlib.suppress(OSError):
                os.write(control, json.dumps(told).encode() + b"\n")
            return
        if select.select([control], [], [], 0.05)[0]:
            command = os.read(control, 1)
            if command == b"i":
                os.kill(child, signal.SIGINT)
            else:  # the coordinator wants it ended, or has gone
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return
