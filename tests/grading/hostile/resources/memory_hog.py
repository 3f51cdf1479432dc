"""An answer that takes ever more memory, up to three times what is allowed."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        def $target(*given, **named):
            return [np.ones(10**6) for _ in range(3 * $memory // (8 * 10**6))]
    """)
