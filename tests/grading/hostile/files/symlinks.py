"""Links to a file elsewhere, to the root of the system, to nothing, and to themselves, beside the notebook."""

from mlsys.grading.demo.corpus import Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="not a plain file", attacked=())


def hand_in(mine: Submission) -> None:
    where = {"file.txt": mine.outside.file, "system": "/", "nothing": "nowhere", "circle": "circle"}
    for name, target in where.items():
        (mine.folder / name).symlink_to(target)
    mine.before("""
        import os

        for name in ("file.txt", "system/proc/self/environ"):
            if os.path.exists(name):
                print(open(name).read())
    """)
