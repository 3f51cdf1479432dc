"""Looks for the solutions, and for the secret that draws the cases."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, flag="MLSYS_SECRET_FILE")


def hand_in(mine: Submission) -> None:
    mine.attempts(
        "reached(os.listdir('$course'))",
        """
        import glob

        for path in glob.glob("$course/solutions/**/*", recursive=True):
            reached(path, open(path).read())
        """,
        "reached(open('$course/.mlsys/secret').read())",
        """
        import os

        reached(open(os.environ["MLSYS_SECRET_FILE"]).read())
        """,
        "reached(open('$file').read())",
    )
