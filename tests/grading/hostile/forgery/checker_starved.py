"""Asks for a test and never answers: the checker waits."""

from mlsys.grading.demo.corpus import EARLIER, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import time

        from mlsys.grading.engine import answering, wire

        def $target(*given, **named):
            answering._link._sock.sendall(b"\\x00\\x00\\x10\\x00{")
            time.sleep(10**6)
    """)
