"""Folders in folders, until the path is longer than the system takes."""

import os

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=())


def hand_in(mine: Submission) -> None:
    here = os.open(mine.folder, os.O_RDONLY)
    for _ in range(40):
        os.mkdir("d" * 120, dir_fd=here)
        inner = os.open("d" * 120, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
