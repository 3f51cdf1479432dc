"""The code inside `check` is exchanged, so that every name of it leads to one's own."""

from mlsys.grading.demo.corpus import ANY, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="HERE", others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        def full(name, answer):
            return $points

        check.__code__ = full.__code__
        check.__globals__["judge"] = lambda *given: []
    """)
