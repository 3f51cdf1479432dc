"""A text turned into a test, and one's own mark and comment in the metadata of the written answer."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=())


def hand_in(mine: Submission) -> None:
    for cell in mine.notebook.cells:
        rules = cell.metadata.get("nbgrader", {})
        if rules.get("grade") and rules.get("solution"):
            rules |= {"manual_score": rules["points"], "auto_score": rules["points"], "comment": "Excellent!"}
