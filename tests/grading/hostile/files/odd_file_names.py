"""Files whose names hold a line's end, markup, an option, an emoji, bytes that are no text, and 255 characters."""

import os

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=())


def hand_in(mine: Submission) -> None:
    names = ["two\nlines.txt", "<img src=x onerror=alert(1)>.txt", "-rf", "...", "🎓.txt", "$(id)", "x" * 255]
    for name in [*(n.encode() for n in names), b"\xff\xfe.txt"]:
        with open(os.fsencode(mine.folder) + b"/" + name, "w") as file:
            file.write("nothing")
