"""The answer and its test twice, by copy and paste, settings and all."""

import copy

from mlsys.grading.demo.corpus import Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="is there 2 times", attacked=())


def hand_in(mine: Submission) -> None:
    for cell in (mine.cell(), mine.check()):
        again = copy.deepcopy(cell)
        again.id += "-copy"
        mine.notebook.cells.insert(mine.notebook.cells.index(mine.check()) + 1, again)
