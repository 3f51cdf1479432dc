"""A million outputs of a cell, each one small; every answer is right."""

from mlsys.grading.demo.corpus import EARLIER, GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=(), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.before("""
        from IPython.display import display

        for number in range(10**6):
            display(number)
    """)
