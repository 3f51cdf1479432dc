"""The test's result is nan for one exercise, and infinite for the next."""

from mlsys.grading.demo.corpus import ANY, HERE, NEXT, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(attacked=(HERE, NEXT), others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        real = check

        def check(name, answer):
            return float("nan") if name == "$name" else float("inf")
    """)
    mine.after("check = real", NEXT)
