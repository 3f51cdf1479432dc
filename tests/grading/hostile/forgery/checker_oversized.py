"""A message to the checker that claims to be 4 GB long, and one that is 100 MB long."""

from mlsys.grading.demo.corpus import EARLIER, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.channels()
    mine.answer("""
        def $target(*given, **named):
            for channel in channels():
                channel.setblocking(True)
                channel.sendall(b"\\x06\\x00\\x00\\x00" + b" " * 10**8)
                channel.sendall(b"\\xff\\xff\\xff\\xff" + b"x" * 1000)
    """)
