"""50 MB of text, printed in a cell of one's own; every answer is right."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=())


def hand_in(mine: Submission) -> None:
    mine.before("""
        for _ in range(50):
            print("x" * 10**6)
    """)
