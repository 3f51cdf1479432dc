"""The kernel stops itself with a signal that cannot be caught."""

from mlsys.grading.demo.corpus import EARLIER, ENDED, TOO_LONG, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), flag=f"{TOO_LONG}|{ENDED}", others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import os
        import signal

        def $target(*given, **named):
            os.kill(os.getpid(), signal.SIGSTOP)
    """)
