"""The output of the test is a display with a name, replaced by full points in a later cell."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        from IPython.display import display

        def $target(*given, **named):
            display(0.0, display_id="score")
    """)
    mine.after("""
        from IPython.display import update_display

        update_display($points, display_id="score")
    """)
