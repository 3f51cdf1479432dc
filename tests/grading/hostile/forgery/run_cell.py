"""Runs cells of one's own making from within a cell, in the test's name and instead of it."""

from mlsys.grading.demo.corpus import ANY, GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, others=ANY)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        shell = get_ipython()

        def $target(*given, **named):
            shell.run_cell("$points")
            shell.set_next_input("$points", replace=True)
            shell.run_cell_magic("capture", "", "1")
            shell.execution_count = 0
    """)
