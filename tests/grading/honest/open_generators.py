"""Generators, files and context managers that are left open."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        def forever():
            try:
                while True:
                    yield 1
            finally:
                print("closed")

        left = forever()
        next(left)
        handle = open(".", "rb") if False else open("note.txt", "w")
        lambda: (yield)
    """)
