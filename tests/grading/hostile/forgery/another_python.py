"""Replaces the running program by another, which speaks on the same descriptors."""

from mlsys.grading.demo.corpus import EARLIER, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import os
        import sys

        def $target(*given, **named):
            for number in range(3, 256):
                try:
                    os.set_inheritable(number, True)
                except OSError:
                    pass
            code = "import os; [os.write(n, b'$points') for n in range(1, 64) if os.path.exists(f'/proc/self/fd/{n}')]"
            os.execv(sys.executable, [sys.executable, "-c", code])
    """)
