"""A cell of one's own calls exit(), after which nothing can run."""

from mlsys.grading.demo.corpus import EARLIER, GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import NOT_GRADED

EXPECT = Expect(status=(*GRADED_ANYHOW, NOT_GRADED), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.before("exit()")
