"""Two test cells are deleted."""

from mlsys.grading.demo.corpus import HERE, NEXT, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="deleted: put back", attacked=())


def hand_in(mine: Submission) -> None:
    for role in (HERE, NEXT):
        mine.notebook.cells.remove(mine.check(role))
