"""A loop that prints three thousand lines, and shows a hundred values."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        from IPython.display import display

        for step in range(3000):
            print(f"step {step}: loss {1 / (step + 1):.6f}")
        for step in range(100):
            display(step)
    """)
