"""A process that has left its parent's session, and outlives it; every answer is right."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=())


def hand_in(mine: Submission) -> None:
    mine.before("""
        import subprocess
        import sys

        sleep = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(900)"
        command = [sys.executable, "-c", sleep, "orphan-of-the-corpus"]
        subprocess.Popen(command, start_new_session=True)  # which holds the kernel's own output open, too
    """)
