"""Looks for the work of others: where it is handed in, and where it is graded."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts(
        """
        import glob

        for folder in ("submitted", "autograded", "feedback"):
            for path in glob.glob(f"$course/{folder}/$other/**/*", recursive=True):
                reached(path, open(path).read())
        """,
        """
        for above in ("..", "../..", "../../.."):
            for path in glob.glob(f"{above}/$other/**/*", recursive=True) + glob.glob(f"{above}/*/$other/**/*"):
                reached(path, open(path).read())
        """,
        "reached(os.listdir('$course/submitted'))",
    )
