"""A blank answer whose test was handed in with an output that shows full points."""

import nbformat

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    shown = {"text/plain": mine.text("$points")}
    mine.check().outputs = [nbformat.v4.new_output("execute_result", shown, execution_count=3)]
    mine.check().execution_count = 3
