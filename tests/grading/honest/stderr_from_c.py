"""A cell of one's own in which C writes on stderr, past Python."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        import os

        os.write(2, b"from below\\n")
        os.write(1, b"and on stdout\\n")
    """)
