"""A cell of one's own calls exit(), by which stock nbgrader loses the notebook."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("exit()")
