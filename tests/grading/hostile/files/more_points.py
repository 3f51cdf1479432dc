"""A test that says it is worth 99 points."""

from mlsys.grading.demo.corpus import Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="settings of cell", attacked=())


def hand_in(mine: Submission) -> None:
    mine.check().metadata["nbgrader"]["points"] = 99.0
