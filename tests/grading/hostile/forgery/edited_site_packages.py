"""Edits the course's package and numpy where they are installed."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts("""
        import mlsys.grading.check as module

        for file in (module.__file__, np.__file__, torch.__file__):
            try:
                with open(file, "a") as source:
                    source.write("# left behind\\n")
                reached(file)
            except OSError as error:
                print(error)
    """)
