"""The notebook says that it is to be run by R."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=())


def hand_in(mine: Submission) -> None:
    mine.notebook.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    mine.notebook.metadata["language_info"] = {"name": "R"}
