"""The answer uses functions that are defined in cells of one's own, before and after it."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("$right\n\nearlier = $target")
    mine.answer("""
        def $target(*given, **named):
            return helper(*given, **named)

        def helper(*given, **named):
            return earlier(*given, **named)
    """)
    mine.after("check('$name', earlier)  # once more, for fun")
