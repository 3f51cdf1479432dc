"""The working directory and the path of modules are changed, and the folder emptied."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        import os
        import sys
        import tempfile

        for name in os.listdir("."):
            if name.endswith(".txt"):
                os.remove(name)
        os.chdir(tempfile.mkdtemp())
        sys.path.insert(0, os.getcwd())
    """)
