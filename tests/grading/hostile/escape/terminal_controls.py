"""Characters that steer a terminal: in output, in an error, and in the names of files."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    (mine.folder / "\x1b[2J\x1b]0;canary\x07.txt").write_text("nothing")
    mine.answer(r"""
        def $target(*given, **named):
            print("\x1b[2J\x1b[H all points \x1b]0;canary\x07 \x08\x08 \x00")
            raise ValueError("\x1b[31m\x1b[2J full points \u202e")
    """)
