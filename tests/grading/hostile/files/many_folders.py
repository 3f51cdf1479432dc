"""As many files as are taken, each deep in folders of its own: more than the box's disk has room for names."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=(), flag="files and folders were handed in")


def hand_in(mine: Submission) -> None:
    for number in range(1500):
        folder = mine.folder / str(number) / "a" / "b" / "c" / "d" / "e" / "f"
        folder.mkdir(parents=True)
        (folder / "x").touch()
