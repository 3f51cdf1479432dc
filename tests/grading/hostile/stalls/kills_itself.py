"""An answer that kills its own process, and those of its group."""

from mlsys.grading.demo.corpus import EARLIER, ENDED, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), flag=ENDED, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import os
        import signal

        def $target(*given, **named):
            if os.getpgrp() == os.getpid():  # alone with what it started
                os.killpg(0, signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
    """)
