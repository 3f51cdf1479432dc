"""`check` is a function of one's own, which says full points."""

from mlsys.grading.demo.corpus import ANY, NEXT, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="HERE", others=ANY)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        def check(name, answer):
            print("$name: $points of $points points")
            return $points

        def $target(*given, **named):
            return None
    """)
    mine.before("from mlsys.grading import check", NEXT)
