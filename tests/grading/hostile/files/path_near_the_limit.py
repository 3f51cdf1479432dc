"""Files whose paths the system just takes where they lie, and not where they are copied to."""

import os

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=(), flag="has too long a path")


def hand_in(mine: Submission) -> None:
    here, length = os.open(mine.folder, os.O_RDONLY), len(os.fsencode(mine.folder.resolve()))
    while length < 3800:
        os.mkdir("d" * 120, dir_fd=here)
        inner = os.open("d" * 120, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here, length = inner, length + 121
    for more in range(30, 200, 5):
        os.close(os.open("f" * more, os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
