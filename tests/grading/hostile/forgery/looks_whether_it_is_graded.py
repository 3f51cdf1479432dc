"""Behaves while it is graded, and misbehaves elsewhere: by the environment, the user, and the checker's link."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import os
        import sys

        graded = (
            "NBGRADER_EXECUTION" in os.environ
            or os.getpid() < 100
            or "mlsys.grading.engine.answering" in sys.modules
            or not os.path.exists(os.path.expanduser("~"))
        )

        def $target(*given, **named):
            if graded:
                get_ipython().displayhook($points)
            raise NotImplementedError("your code here")
    """)
