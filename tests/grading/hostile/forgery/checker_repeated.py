"""The same result sent a thousand times, and results that nobody asked for."""

from mlsys.grading.demo.corpus import EARLIER, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        from mlsys.grading.engine import answering, wire

        def $target(*given, **named):
            zeros = wire.pack_arrays({"r": np.zeros((1, 2)), "w": np.zeros((1, 2))})
            for _ in range(1000):
                wire.send(answering._link._sock, {"t": "result", "arrays": zeros, "failure": ""})
            return np.zeros(2), np.zeros(2)
    """)
