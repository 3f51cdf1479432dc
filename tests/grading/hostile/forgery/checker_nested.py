"""An answer that asks for the test of itself while it is tested."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        deep = []

        def $target(*given, **named):
            if len(deep) < 10:
                deep.append(1)
                check("$name", $target)
            return None
    """)
