"""An answer that never comes back from a loop in C, where Python sees no signal."""

from mlsys.grading.demo.corpus import EARLIER, TOO_LONG, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), flag=TOO_LONG, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import collections
        import itertools

        def $target(*given, **named):
            collections.deque(itertools.repeat(0), maxlen=0)
    """)
