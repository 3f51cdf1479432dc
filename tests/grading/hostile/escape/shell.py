"""IPython's shell: `!` and the magics that run other programs."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts(
        "!cat $course/solutions/* $course/.mlsys/secret $file",
        "!ls $course/submitted $course/autograded && echo REA''CHED",
    )
    mine.before("""
        %%bash
        cat $course/submitted/$other/*/* && echo REA""CHED
        env | grep -i canary
        true
    """)
