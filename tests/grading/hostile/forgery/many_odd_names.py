"""Asks the checker for exercises that there are not, as often as it can."""

from mlsys.grading.demo.corpus import EARLIER, GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=(), others=EARLIER, flag="check was called with the name")


def hand_in(mine: Submission) -> None:
    mine.before("""
        import time

        from mlsys.grading.engine import answering

        began, number = time.time(), 0
        while time.time() - began < $cell_s / 2:
            answering._link.ask({"t": "check", "name": f"n{number} " + "q" * 50})
            number += 1
    """)
