"""A cell of one's own that takes half of the time that it may."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        import time

        time.sleep($cell_s / 2)
    """)
