"""An answer that never ends."""

from mlsys.grading.demo.corpus import Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="HERE.*too long")


def hand_in(mine: Submission) -> None:
    mine.answer("""
        def $target(*given, **named):
            while True:
                pass
    """)
