"""Eight cells that each print as much as a cell may."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=(), flag="showed too much: cut")


def hand_in(mine: Submission) -> None:
    for _ in range(8):
        mine.before('print("y" * 4_000_000)')
