"""Begins a message to the checker and never ends it: the checker waits."""

from mlsys.grading.demo.corpus import EARLIER, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.channels()
    mine.answer("""
        import time

        def $target(*given, **named):
            for channel in channels():
                channel.sendall(b"\\x00\\x00\\x10\\x00{")
            time.sleep(10**6)
    """)
