"""The locale and the time zone are changed."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        import locale
        import os
        import time

        for name in ("de_DE.UTF-8", "C.UTF-8", "C"):
            try:
                locale.setlocale(locale.LC_ALL, name)
                break
            except locale.Error:
                pass
        os.environ["TZ"] = "Asia/Kolkata"
        time.tzset()
    """)
