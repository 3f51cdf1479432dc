"""Tags by which tools leave a cell out, and an output that claims full points, in the test of a blank answer."""

import nbformat

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    check = mine.check()
    check.metadata["tags"] = ["skip-execution", "remove-cell", "remove-input", "raises-exception"]
    shown = {"text/plain": mine.text("$points")}
    check.outputs = [nbformat.v4.new_output("execute_result", shown, execution_count=1)]
