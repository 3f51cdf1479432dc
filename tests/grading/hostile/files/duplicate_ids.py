"""Every cell has the same id, which makes nbformat refuse the file."""

import json

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=())


def hand_in(mine: Submission) -> None:
    notebook = json.loads(mine.bytes())
    for cell in notebook["cells"]:
        cell["id"] = "same"
    mine.data = json.dumps(notebook).encode()
