"""Results that no honest sender writes: negative and huge shapes, no base64, wrong types, thousands of arrays."""

from mlsys.grading.demo.corpus import EARLIER, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.channels()
    mine.answer("""
        def $target(*given, **named):
            for channel in channels():
                for arrays in (
                    {"w": ["AAAA", [-1]]},
                    {"w": ["AAAA", [2**62, 2**62]]},
                    {"w": ["%%%%", [1]]},
                    {"w": [["AAAA"], [1.5]]},
                    {"w" * 1000: ["", [0]]},
                    {str(number): ["", [0]] for number in range(5000)},
                    [1, 2, 3],
                ):
                    tell(channel, {"t": "result", "arrays": arrays, "failure": 7})
    """)
