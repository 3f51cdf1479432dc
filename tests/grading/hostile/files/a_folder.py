"""A folder that is named as the notebook should be, and is empty."""

from mlsys.grading.demo.corpus import NONE, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import NOT_GRADED

EXPECT = Expect(status=(NOT_GRADED,), flag="missing", attacked=(), others=NONE)


def hand_in(mine: Submission) -> None:
    mine.written = False
    mine.path.mkdir()
