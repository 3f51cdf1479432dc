"""Tags that are no words, which are compared with each other for hours."""

import json

from mlsys.grading.demo.corpus import NONE, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import NOT_GRADED

EXPECT = Expect(status=(NOT_GRADED,), attacked=(), others=NONE, flag="tags")


def hand_in(mine: Submission) -> None:
    mine.cell().metadata["tags"] = [{"a": number} for number in range(3000)]
    mine.data = json.dumps(mine.notebook).encode()  # nbformat would compare them before it writes
