"""Two hundred thousand empty files: no bytes, but as many entries on the disk."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import os

        def $target(*given, **named):
            os.mkdir("many")
            for number in range(200_000):
                open(f"many/{number}", "w").close()
    """)
