"""What is called when Python ends sends results, and writes over the notebook."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.before("""
        import atexit
        import glob

        @atexit.register
        def at_the_end():
            get_ipython().displayhook($points)
            for path in glob.glob("*.ipynb"):
                text = open(path).read()
                open(path, "w").write(text.replace('check(', '$points or check('))
    """)
