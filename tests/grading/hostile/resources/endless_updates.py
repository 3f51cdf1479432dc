"""One output, replaced a hundred thousand times; every answer is right."""

from mlsys.grading.demo.corpus import EARLIER, GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=(), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.before("""
        from IPython.display import clear_output, display

        shown = display("start", display_id=True)
        for number in range(50_000):
            shown.update("x" * 1000)
            clear_output(wait=True)
    """)
