"""Another Python, and the shell."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        import subprocess
        import sys

        done = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "42", done
    """)
    mine.before("!echo from the shell")
