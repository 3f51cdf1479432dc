"""Names of the imports are deleted and imported anew, and hidden by values for a while."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        del np, torch
        sum = 3
        float_ = float
    """)
    mine.before("""
        import numpy as np
        import torch

        del sum
    """)
