"""Stops its parent, so that nobody is left to end it."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.attempts("""
        import os
        import signal

        for pid in (os.getppid(), $pid):
            try:
                if pid > 1:
                    os.kill(pid, signal.SIGSTOP)
            except OSError as error:
                print(pid, error)
    """)
