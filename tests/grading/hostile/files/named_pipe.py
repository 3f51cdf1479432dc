"""The notebook is a named pipe, which makes whoever reads it wait for ever."""

import os

from mlsys.grading.demo.corpus import NONE, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import NOT_GRADED

EXPECT = Expect(status=(NOT_GRADED,), flag="not a plain file|missing", attacked=(), others=NONE)


def hand_in(mine: Submission) -> None:
    mine.written = False
    os.mkfifo(mine.path)
