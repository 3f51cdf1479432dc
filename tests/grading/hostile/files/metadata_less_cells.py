"""No cell has any metadata left, as after a trip through another program."""

from mlsys.grading.demo.corpus import Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="put back", attacked=())


def hand_in(mine: Submission) -> None:
    for cell in mine.notebook.cells:
        cell.metadata.clear()
