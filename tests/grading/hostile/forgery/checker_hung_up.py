"""Closes every socket in the middle of a test."""

from mlsys.grading.demo.corpus import EARLIER, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.channels()
    mine.answer("""
        def $target(*given, **named):
            for channel in channels():
                channel.shutdown(socket.SHUT_RDWR)
                channel.close()
    """)
