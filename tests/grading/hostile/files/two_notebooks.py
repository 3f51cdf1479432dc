"""A second notebook beside the right one, with another name."""

from mlsys.grading.demo.corpus import Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="was not graded", attacked=())


def hand_in(mine: Submission) -> None:
    mine.path.with_stem(f"{mine.path.stem} (1)").write_bytes(mine.bytes())
