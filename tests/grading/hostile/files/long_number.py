"""An integer of ten thousand digits in the metadata, which Python refuses to read."""

from mlsys.grading.demo.corpus import ANY, ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, attacked=(), others=ANY)


def hand_in(mine: Submission) -> None:
    mine.notebook.metadata["number"] = "HERE"
    mine.data = mine.bytes().replace(b'"HERE"', b"9" * 10_000)
