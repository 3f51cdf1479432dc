"""Doctests run in the notebook, and an assertion of one's own on the answer."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        import doctest

        def double(x):
            '''Twice.

            >>> double(2)
            4
            '''
            return 2 * x

        doctest.testmod(verbose=False)
    """)
