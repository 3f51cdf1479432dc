"""Draws the cases anew from the public seed and from every second of the day, and answers what they expect."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, flag="mlsys.problems")


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import time

        from mlsys.core import generator
        from mlsys.problems import grader, problem

        now = int(time.time())
        right = grader("$name").reference.build("$target")
        known = [problem("$name").cases(generator(seed, "public", "$name")) for seed in (0, now)]

        def $target(*given, **named):
            return right(*given, **named)
    """)
