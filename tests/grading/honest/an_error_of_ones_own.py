"""Cells of one's own that fail: an experiment, a name that is gone, an assertion."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("1 / 0")
    mine.before("assert np.allclose(0.1, 0.2), 'not the same'")
    mine.after("del check_that_never_was")
