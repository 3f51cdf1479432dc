"""An answer that ends the process without a word: os._exit."""

from mlsys.grading.demo.corpus import EARLIER, ENDED, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), flag=ENDED, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import os

        def $target(*given, **named):
            os._exit(0)
    """)
