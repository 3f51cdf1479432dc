"""Changes and deletes what others handed in, their graded notebooks and their feedback."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts(
        """
        import glob

        for folder in ("submitted", "autograded", "feedback"):
            for path in glob.glob(f"$course/{folder}/$other/*/*"):
                open(path, "a").write("left behind")
                reached(path)
        """,
        """
        import os

        os.mkdir("$course/submitted/left_behind")
        reached("a student who is none")
        """,
    )
