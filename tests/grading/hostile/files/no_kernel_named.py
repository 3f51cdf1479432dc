"""The notebook's own metadata are gone, the kernel's name among them."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=())


def hand_in(mine: Submission) -> None:
    mine.notebook.metadata.clear()
