"""Connects to a unix socket of this machine, by its path and by its abstract name."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    attempt = """
        import socket

        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(1)
            s.connect({name})
            reached(s.recv(1000))
    """
    names = ["'$socket'", "chr(0) + '$socket'", "'/var/run/docker.sock'", "'/run/dbus/system_bus_socket'"]
    mine.attempts(*(attempt.format(name=name) for name in names))
