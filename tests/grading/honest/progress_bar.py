"""A line that is written over and over, as progress bars do, on stdout and on stderr."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        import sys

        for percent in range(0, 101, 5):
            print(f"\\r{percent:3d} %", end="", flush=True)
            print(f"\\r{percent:3d} % of the other", end="", flush=True, file=sys.stderr)
        print()
    """)
