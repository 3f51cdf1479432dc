"""Zeros at the end, as a crashed machine leaves them."""

from mlsys.grading.demo.corpus import NONE, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import NOT_GRADED

EXPECT = Expect(status=(NOT_GRADED,), flag="corrupt", attacked=(), others=NONE)


def hand_in(mine: Submission) -> None:
    mine.data = mine.bytes() + bytes(4096)
