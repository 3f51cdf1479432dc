"""Time stands still: for limits that are measured where the student can reach the clock."""

from mlsys.grading.demo.corpus import EARLIER, TOO_LONG, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), flag=TOO_LONG, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import signal
        import time

        def $target(*given, **named):
            time.monotonic = time.time = time.perf_counter = lambda: 0.0
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
            signal.signal(signal.SIGXCPU, signal.SIG_IGN)
            while True:
                pass
    """)
