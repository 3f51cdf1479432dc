"""A display that is shown three hundred times, and then changed to one of two megabytes."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=(), flag="showed too much: cut")


def hand_in(mine: Submission) -> None:
    mine.before("""
        from IPython.display import display, update_display

        for _ in range(300):
            display({"text/plain": "."}, raw=True, display_id="x")
        update_display({"text/plain": "y" * 2_000_000}, raw=True, display_id="x")
    """)
