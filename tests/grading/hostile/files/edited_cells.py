"""A test cell says what it is worth, and nothing else; another one is tested by the student's own function."""

from mlsys.grading.demo.corpus import HERE, NEXT, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="edited: restored", attacked=(HERE, NEXT))


def hand_in(mine: Submission) -> None:
    mine.check().source = mine.text("$points")
    mine.check(NEXT).source = mine.text("(lambda name: $points)('$name')", NEXT)
