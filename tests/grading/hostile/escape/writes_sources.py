"""Changes the solutions, the released notebook and the course's settings."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts(
        """
        import glob

        for path in glob.glob("$course/solutions/**/*", recursive=True) + glob.glob("$course/exercises/*/*"):
            open(path, "a").write("left behind")
            reached(path)
        """,
        """
        open("$course/nbgrader_config.py", "a").write("# left behind")
        reached("the settings")
        """,
        """
        open("$course/left_behind", "w").close()
        reached("the course")
        """,
    )
