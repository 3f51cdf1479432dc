"""Magics that measure time and memory."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        %timeit -n 3 -r 2 sum(range(100))
        %time sum(range(100))
        %who_ls
    """)
    mine.before("%%time\nsum(range(100))")
    mine.before("%%capture captured\nprint('nothing to see')")
