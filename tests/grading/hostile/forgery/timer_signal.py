"""A timer's signal interrupts the test in its middle, and its handler shows full points."""

from mlsys.grading.demo.corpus import ANY, ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=ANY)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import signal
        import time

        def ring(*given):
            get_ipython().displayhook($points)
            raise KeyboardInterrupt

        def $target(*given, **named):
            signal.signal(signal.SIGALRM, ring)
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            time.sleep(0.3)
    """)
