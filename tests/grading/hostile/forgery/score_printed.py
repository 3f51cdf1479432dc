"""An answer prints what a full score looks like, as text and as a result."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        from IPython.display import display

        def $target(*given, **named):
            print("$name: $points of $points points")
            print("$points")
            display({"text/plain": "$points"}, raw=True)
            get_ipython().displayhook($points)
    """)
