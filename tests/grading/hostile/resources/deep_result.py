"""A list in a list in a list, a hundred thousand deep, as the result."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        def $target(*given, **named):
            nested = []
            for _ in range(100_000):
                nested = [nested]
            return nested, nested
    """)
