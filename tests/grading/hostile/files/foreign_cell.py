"""A test of one's own, worth 100 points."""

import nbformat

from mlsys.grading.demo.corpus import Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="not of this problem set", attacked=())


def hand_in(mine: Submission) -> None:
    settings = {"grade": True, "solution": False, "locked": True, "task": False, "points": 100.0}
    settings |= {"grade_id": "bonus", "schema_version": 3, "cell_type": "code"}
    bonus = nbformat.v4.new_code_cell("100.0", metadata={"nbgrader": settings})
    mine.notebook.cells.append(bonus)
