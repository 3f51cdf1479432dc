"""A cell of one's own that raises KeyboardInterrupt and catches it not."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("raise KeyboardInterrupt")
