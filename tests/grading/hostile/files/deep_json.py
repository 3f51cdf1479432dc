"""Lists in lists, a hundred thousand deep, in the metadata."""

from mlsys.grading.demo.corpus import NONE, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import NOT_GRADED

EXPECT = Expect(status=(NOT_GRADED,), flag="corrupt", attacked=(), others=NONE)


def hand_in(mine: Submission) -> None:
    mine.notebook.metadata["deep"] = "HERE"
    mine.data = mine.bytes().replace(b'"HERE"', b"[" * 100_000 + b"]" * 100_000)
