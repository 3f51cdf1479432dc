"""Well-formed results that fit no exercise: names that nobody asked for, no names, nan, a million numbers."""

from mlsys.grading.demo.corpus import EARLIER, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.channels()
    mine.answer("""
        import base64

        def packed(array):
            return [base64.b64encode(array.tobytes()).decode(), list(array.shape)]

        def $target(*given, **named):
            for channel in channels():
                for array in (np.zeros(10**6), np.full((3, 1, 1, 1, 1), np.nan), np.zeros((0, 2)), np.array(1.0)):
                    for names in (("r", "w"), ("", "__class__"), ("score", "points")):
                        arrays = {name: packed(array) for name in names}
                        tell(channel, {"t": "result", "arrays": arrays, "failure": ""})
    """)
