"""An answer that warns, logs and prints on stderr, as libraries do."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import logging
        import sys
        import warnings

        $right

        right = $target

        def $target(*given, **named):
            warnings.warn("not what it was", UserWarning)
            logging.getLogger("mine").warning("careful")
            print("a line on stderr", file=sys.stderr)
            return right(*given, **named)
    """)
