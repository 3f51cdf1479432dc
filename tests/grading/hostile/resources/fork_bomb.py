"""Every process starts another, up to eight times as many as are allowed; all end after twenty seconds."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import os
        import time

        def $target(*given, **named):
            first = os.getpid()
            for _ in range((8 * $processes).bit_length() - 1):
                try:
                    os.fork()
                except OSError:
                    time.sleep(0.01)
            if os.getpid() != first:
                time.sleep(20)
                os._exit(0)
            time.sleep(20)
    """)
