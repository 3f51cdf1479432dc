"""A thread waits for the test, and then defines, prints and shows what suits."""

from mlsys.grading.demo.corpus import ANY, ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        import threading
        import time

        shell = get_ipython()

        def work():
            for _ in range(300):
                shell.user_ns["check"] = lambda name, answer: $points
                print("$points")
                time.sleep(0.01)

        threading.Thread(target=work, daemon=True).start()
        time.sleep(0.1)
    """)
