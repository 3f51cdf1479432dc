"""An answer shows full points as the test's result, and ends the test before it shows another."""

from mlsys.grading.demo.corpus import Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="HERE")


def hand_in(mine: Submission) -> None:
    mine.answer("""
        class Enough(BaseException):
            def _render_traceback_(self):
                return []

        def $target(*given, **named):
            get_ipython().displayhook($points)
            raise Enough
    """)
