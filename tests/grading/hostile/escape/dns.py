"""Asks for the address of a name, by which a text can be carried out."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts(
        """
        import socket

        reached(socket.getaddrinfo("example.com", 80))
        """,
        """
        import re
        import socket

        for server in re.findall(r"nameserver (\\S+)", open("/etc/resolv.conf").read()):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(1)
                s.sendto(b"\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\7example\\3com\\0\\0\\1\\0\\1", (server, 53))
                reached(s.recv(1000))
        """,
    )
