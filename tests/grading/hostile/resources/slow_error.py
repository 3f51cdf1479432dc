"""An error whose text takes for ever to make, and a result whose picture does."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, TOO_LONG, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, flag=TOO_LONG, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        class Slow(Exception):
            def __str__(self):
                while True:
                    pass

            __repr__ = __str__

        def $target(*given, **named):
            raise Slow
    """)
