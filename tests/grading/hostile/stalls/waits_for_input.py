"""An answer that asks a question, where nobody is."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        def $target(*given, **named):
            return float(input("What should it be? "))
    """)
