"""A notebook without a single cell: every test is put back, and nothing is answered."""

from mlsys.grading.demo.corpus import NONE, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="put back", attacked=(), others=NONE)


def hand_in(mine: Submission) -> None:
    mine.notebook.cells.clear()
