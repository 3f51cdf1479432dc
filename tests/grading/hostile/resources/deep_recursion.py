"""A recursion without end, with Python's own limit lifted."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import sys

        def $target(*given, **named):
            sys.setrecursionlimit(10**9)
            return $target(*given, **named)
    """)
