"""An image of 30 MB; every answer is right."""

from mlsys.grading.demo.corpus import EARLIER, GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=(), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.before("""
        import os

        from IPython.display import Image, display

        display(Image(data=b"\\x89PNG\\r\\n\\x1a\\n" + os.urandom(30 * 10**6), format="png"))
    """)
