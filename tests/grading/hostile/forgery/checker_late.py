"""A result sent for a case long after it was asked for: from a thread, while a later exercise is tested."""

from mlsys.grading.demo.corpus import ANY, ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, attacked=(), others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        import threading
        import time

        from mlsys.grading.engine import answering, wire

        def later():
            for _ in range(200):
                time.sleep(0.005)
                zeros = wire.pack_arrays({"w": np.zeros(2)})
                wire.send(answering._link._sock, {"t": "result", "arrays": zeros, "failure": ""})

        threading.Thread(target=later).start()
    """)
