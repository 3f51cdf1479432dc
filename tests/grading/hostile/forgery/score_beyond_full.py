"""The test's result is more than the exercise is worth, at which stock nbgrader gives up."""

from mlsys.grading.demo.corpus import ANY, NEXT, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="HERE", others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        real = check

        def check(name, answer):
            return 10 * $points
    """)
    mine.before("check = real", NEXT)
