"""The notebook in another encoding."""

from mlsys.grading.demo.corpus import NONE, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import NOT_GRADED

EXPECT = Expect(status=(NOT_GRADED,), flag="corrupt", attacked=(), others=NONE)


def hand_in(mine: Submission) -> None:
    mine.data = mine.bytes().decode().encode("utf-16")
