"""Figures of matplotlib: shown, closed, and left open."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        %matplotlib inline
        import matplotlib.pyplot as plt

        plt.plot(np.arange(10) ** 2)
        plt.show()
        fig, axes = plt.subplots(1, 2)
        axes[0].hist(np.random.default_rng(0).normal(size=100))
    """)
