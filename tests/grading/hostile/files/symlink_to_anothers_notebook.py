"""The notebook is a symbolic link to that of another student."""

from mlsys.grading.demo.corpus import NONE, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import NOT_GRADED

EXPECT = Expect(status=(NOT_GRADED,), flag="not a plain file|missing", attacked=(), others=NONE)


def hand_in(mine: Submission) -> None:
    mine.written = False
    theirs = mine.outside.course / "submitted" / mine.outside.other / mine.folder.name / mine.path.name
    mine.path.symlink_to(theirs)
