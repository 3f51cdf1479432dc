"""Connects to a service on this machine, and to one elsewhere."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts(
        """
        import socket

        with socket.create_connection(("127.0.0.1", $port), timeout=1) as s:
            reached(s.recv(1000))
        """,
        """
        import socket

        with socket.create_connection(("192.0.2.1", 80), timeout=1) as s:
            reached("elsewhere")
        """,
        """
        import socket

        with socket.create_connection(("::1", $port), timeout=1) as s:
            reached(s.recv(1000))
        """,
    )
