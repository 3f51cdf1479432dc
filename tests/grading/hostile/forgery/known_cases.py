"""Takes away the course's secret before the cases are drawn, so that they are the public ones."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, flag="MLSYS_SECRET_FILE")


def hand_in(mine: Submission) -> None:
    mine.before("""
        import os

        os.environ.pop("MLSYS_SECRET_FILE", None)
        import mlsys.grading.secret as module

        module.VARIABLE = "NOTHING"
        module.case_generator = lambda name: np.random.default_rng(0)
    """)
