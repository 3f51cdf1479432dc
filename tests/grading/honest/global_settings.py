"""Settings that hold for all later cells: how numpy prints and complains, torch's default type, warnings as errors."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        import warnings

        np.set_printoptions(precision=2, suppress=True)
        np.seterr(all="raise")
        torch.set_default_dtype(torch.float64)
        torch.set_printoptions(precision=2)
        warnings.simplefilter("error")
    """)
