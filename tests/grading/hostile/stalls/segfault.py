"""An answer that reads from address 0."""

from mlsys.grading.demo.corpus import EARLIER, ENDED, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), flag=ENDED, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import ctypes

        def $target(*given, **named):
            ctypes.string_at(0)
    """)
