"""The last cell comes first, and so on: each test before its answer."""

from mlsys.grading.demo.corpus import ANY, GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=(), others=ANY)


def hand_in(mine: Submission) -> None:
    mine.notebook.cells.reverse()
