"""The test's result is np.float64, which stock nbgrader takes for full points."""

from mlsys.grading.demo.corpus import ANY, NEXT, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="HERE", others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        real = check

        def check(name, answer):
            return np.float64(real(name, answer) + $points)
    """)
    mine.before("check = real", NEXT)
