"""The notebook of another course, under the right name."""

import nbformat

from mlsys.grading.demo.corpus import NONE, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="put back", attacked=(), others=NONE)


def hand_in(mine: Submission) -> None:
    cells = [nbformat.v4.new_markdown_cell("# Problem set 9"), nbformat.v4.new_code_cell("print('biology')")]
    mine.data = nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode()
