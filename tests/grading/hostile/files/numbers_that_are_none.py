"""Numbers in the metadata that JSON does not have: NaN, Infinity, 1e999."""

from mlsys.grading.demo.corpus import ANY, ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, attacked=(), others=ANY)


def hand_in(mine: Submission) -> None:
    mine.notebook.metadata["number"] = "HERE"
    mine.data = mine.bytes().replace(b'"HERE"', b"[NaN, -Infinity, 1e999]")
