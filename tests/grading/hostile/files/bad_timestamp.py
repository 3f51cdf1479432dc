"""A timestamp beside the notebook that is no time; nbgrader reads it."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=())


def hand_in(mine: Submission) -> None:
    (mine.folder / "timestamp.txt").write_text("tomorrow'); DROP TABLE grade; --\n")
