"""Gives itself full points in the gradebook."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts("""
        import sqlite3

        book = sqlite3.connect("$course/gradebook.db")
        book.execute("update grade set auto_score = 99")
        book.commit()
        reached("the gradebook")
    """)
