"""Arrays of a tenth of the memory allowed, made and dropped."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        for _ in range(5):
            large = np.zeros($memory // 10 // 8)
            large += 1
        del large
    """)
