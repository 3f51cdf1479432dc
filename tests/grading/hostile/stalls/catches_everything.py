"""An answer that never ends, and catches every interrupt."""

from mlsys.grading.demo.corpus import EARLIER, TOO_LONG, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), flag=TOO_LONG, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        def $target(*given, **named):
            while True:
                try:
                    while True:
                        pass
                except BaseException:
                    pass
    """)
