"""The same result sent a thousand times, and results that nobody asked for."""

from mlsys.grading.demo.corpus import EARLIER, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.channels()
    mine.answer("""
        import base64

        def $target(*given, **named):
            zeros = [base64.b64encode(bytes(16)).decode(), [1, 2]]
            for channel in channels():
                for _ in range(1000):
                    tell(channel, {"t": "result", "arrays": {"r": zeros, "w": zeros}, "failure": ""})
            return np.zeros(2), np.zeros(2)
    """)
