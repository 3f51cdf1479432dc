"""An answer that ends Python as a program would: SystemExit, in the test."""

from mlsys.grading.demo.corpus import EARLIER, GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import NOT_GRADED

EXPECT = Expect(status=(*GRADED_ANYHOW, NOT_GRADED), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import sys

        def $target(*given, **named):
            sys.exit(0)
    """)
