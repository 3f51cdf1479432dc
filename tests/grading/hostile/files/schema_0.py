"""nbgrader's settings in every cell claim to be of version 0."""

from mlsys.grading.demo.corpus import Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="settings of cell", attacked=())


def hand_in(mine: Submission) -> None:
    for cell in mine.notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata["nbgrader"]["schema_version"] = 0
