"""A picture in a text that was lost when the cell was copied."""

from nbformat.v4 import new_markdown_cell

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.notebook.cells.append(new_markdown_cell("See ![the plot](attachment:plot.png)."))
