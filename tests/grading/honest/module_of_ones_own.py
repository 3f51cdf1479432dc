"""A module beside the notebook, called as one that the grader itself has imported."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    (mine.folder / "cycler.py").write_text("MINE = 1\n")
    mine.answer("""
        import cycler

        assert cycler.MINE

        $right
    """)
