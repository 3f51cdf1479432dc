"""Cells that each stay within the limit, and together take longer than a notebook may."""

from mlsys.grading.demo.corpus import EARLIER, TOO_LONG, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), flag=TOO_LONG, others=EARLIER)


def hand_in(mine: Submission) -> None:
    share = 0.9 * mine.limits.cell_s
    for _ in range(int(mine.limits.notebook_s / share) + 2):
        mine.before(f"""
            import time

            time.sleep({share})
        """)
