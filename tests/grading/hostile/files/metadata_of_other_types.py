"""The settings of cells are numbers, texts and lists where tables are due."""

import json

from mlsys.grading.demo.corpus import Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="put back", attacked=())


def hand_in(mine: Submission) -> None:
    rubbish = ["text", 7, None, [], {"grade_id": 3}, {"grade_id": ["a"]}]
    notebook = json.loads(mine.bytes())
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] = {"nbgrader": rubbish[number % len(rubbish)]}
    mine.data = json.dumps(notebook).encode()
