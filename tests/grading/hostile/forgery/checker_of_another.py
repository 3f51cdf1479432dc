"""Asks for the test of the next exercise under the name of this one, and the other way round."""

from mlsys.grading.demo.corpus import ANY, GRADED_ANYHOW, NEXT, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, others=ANY)


def hand_in(mine: Submission) -> None:
    theirs = mine.text("$name", NEXT)
    mine.before(f"""
        real = check

        def check(name, answer):
            return real("{theirs}", {mine.text("$target", NEXT)})
    """)
    mine.before(mine.text("$right", NEXT).replace("$", "$$"))
    mine.before("check = real", NEXT)
