"""A file handed in beside the notebook that seems three times as large as the disk space allowed, and holds nothing."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=())


def hand_in(mine: Submission) -> None:
    with (mine.folder / "data.bin").open("wb") as file:
        file.truncate(3 * mine.limits.disk_bytes)
