"""An answer that divides by zero on the way, and is right all the same."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.answer("""
        $right

        right = $target

        def $target(*given, **named):
            np.float64(1.0) / np.float64(0.0)
            return right(*given, **named)
    """)
