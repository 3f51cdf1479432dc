"""Becomes another user, takes back capabilities, and runs what runs as root."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts(
        """
        import os

        os.setgroups([0])
        os.setuid(1)
        reached("another user")
        """,
        """
        import re

        status = open("/proc/self/status").read()
        held = re.findall(r"Cap(?:Prm|Eff|Bnd):\\s*([0-9a-f]+)", status)
        if any(int(bits, 16) for bits in held):
            reached("capabilities", held)
        if "NoNewPrivs:\\t1" not in status:
            reached("new privileges")
        """,
        """
        import subprocess

        done = subprocess.run(["su", "-c", "id"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if "uid=0" in done.stdout and os.getuid():
            reached(done.stdout)
        """,
    )
