"""A thread that sleeps for a month keeps Python from ending; every answer is right."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=())


def hand_in(mine: Submission) -> None:
    mine.before("""
        import threading
        import time

        threading.Thread(target=time.sleep, args=(30 * 86400,)).start()
    """)
