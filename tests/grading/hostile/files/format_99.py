"""A notebook that claims to be of a format that is still to come."""

from mlsys.grading.demo.corpus import NONE, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import NOT_GRADED

EXPECT = Expect(status=(NOT_GRADED,), flag="corrupt", attacked=(), others=NONE)


def hand_in(mine: Submission) -> None:
    mine.notebook["nbformat"] = 99
    mine.data = __import__("json").dumps(mine.notebook).encode()
