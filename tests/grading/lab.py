"""A Jupyter server for the tests that look at what people see."""

import os
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager

from a_course import environment


@contextmanager
def serving(command, port_option, folder, variables=()):
    """Run a server on a free port until the block ends; its address. Its token is `token`."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    running = subprocess.Popen(
        [*command, *port_option.format(port=port).split()],
        cwd=folder,
        env=environment() | {"JUPYTER_TOKEN": "token"} | dict(variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        assert soon(lambda: running.poll() is not None or _answers(f"{address}/api"))
        assert running.poll() is None, "the server ended"
        yield address
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(timeout=30)


def _answers(address):
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except OSError:
        return False
    return True


def soon(true, within_s=60):
    """Whether it comes true within a time that only a broken machine would need."""
    end = time.monotonic() + within_s
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
