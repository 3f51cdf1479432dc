"""The kernel's name leads out of the folder of kernels."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=())


def hand_in(mine: Submission) -> None:
    mine.notebook.metadata["kernelspec"] = {"name": "../../../tmp/mine", "display_name": "mine"}
