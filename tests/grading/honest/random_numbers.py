"""Seeds set and numbers drawn from every generator."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        import random

        random.seed(1)
        np.random.seed(1)
        torch.manual_seed(1)
        print(random.random(), np.random.rand(), torch.rand(1))
        print(np.random.default_rng(3).normal())
    """)
