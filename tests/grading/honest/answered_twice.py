"""A wrong answer in its cell, and the right one in a cell of one's own before the test."""

import nbformat

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.answer("""
        def $target(*given, **named):
            return None
    """)
    place = mine.notebook.cells.index(mine.check())
    mine.notebook.cells.insert(place, nbformat.v4.new_code_cell(mine.text("$right")))
