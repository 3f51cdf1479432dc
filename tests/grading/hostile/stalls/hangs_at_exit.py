"""What Python calls when it ends never returns; every answer is right."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=())


def hand_in(mine: Submission) -> None:
    mine.before("""
        import atexit
        import signal
        import time

        def stay(*given):
            while True:
                time.sleep(1)

        class Stays:
            def __del__(self):
                stay()

        atexit.register(stay)
        signal.signal(signal.SIGTERM, stay)
        stays = Stays()
    """)
