"""The answer calls the grader's own reference."""

from mlsys.grading.demo.corpus import Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="mlsys.problems")


def hand_in(mine: Submission) -> None:
    mine.answer("""
        from mlsys.problems import grader

        $target = grader("$name").reference.build("$target")
    """)
