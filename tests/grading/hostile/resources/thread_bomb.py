"""Four times as many threads as processes are allowed."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import threading
        import time

        def $target(*given, **named):
            for _ in range(4 * $processes):
                threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
    """)
