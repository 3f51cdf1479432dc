"""50 MB of text, printed by an answer while it is judged."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        def $target(*given, **named):
            for _ in range(50):
                print("x" * 10**6)
    """)
