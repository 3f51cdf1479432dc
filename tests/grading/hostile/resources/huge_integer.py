"""An integer of 370 million digits: one operation, which nothing interrupts."""

from mlsys.grading.demo.corpus import EARLIER, ENDED, TOO_LONG, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), flag=f"{TOO_LONG}|{ENDED}|memory", others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        def $target(*given, **named):
            nine = int("9")  # so that the compiler does not try
            return nine**nine**nine
    """)
