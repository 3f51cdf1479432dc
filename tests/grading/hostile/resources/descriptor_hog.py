"""Open files until none is left; the answer keeps them."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        kept = []

        def $target(*given, **named):
            while len(kept) < 100_000:
                kept.append(open("/dev/null"))
    """)
