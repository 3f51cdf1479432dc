"""Opens the gradebook and reads everybody's points."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts("""
        import sqlite3

        book = sqlite3.connect("file:$course/gradebook.db?mode=ro", uri=True)
        for (table,) in book.execute("select name from sqlite_master").fetchall():
            reached(table, book.execute(f"select * from {table}").fetchall())
    """)
