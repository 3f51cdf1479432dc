"""Results sent for a case long after it was asked for: from a thread, while later exercises are tested."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, attacked=(), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.channels()
    mine.before("""
        import threading
        import time

        def later():
            for _ in range(200):
                time.sleep(0.005)
                for channel in channels():
                    tell(channel, {"t": "result", "arrays": None, "failure": "late"})

        threading.Thread(target=later).start()
    """)
