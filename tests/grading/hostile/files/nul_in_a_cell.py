"""A zero character in a cell of one's own and in a written answer."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=())


def hand_in(mine: Submission) -> None:
    mine.before("'a\0b'")
    for cell in mine.notebook.cells:
        if cell.cell_type == "markdown" and cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = "Less\0 is more."
