"""A test made a markdown cell, and an answer made a raw one."""

import nbformat

from mlsys.grading.demo.corpus import NEXT, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="made a markdown cell: restored", attacked=())


def hand_in(mine: Submission) -> None:
    kinds = ((mine.check(), nbformat.v4.new_markdown_cell), (mine.cell(NEXT), nbformat.v4.new_raw_cell))
    for cell, make in kinds:
        place = mine.notebook.cells.index(cell)
        mine.notebook.cells[place] = make(cell.source, id=cell.id, metadata=cell.metadata)
