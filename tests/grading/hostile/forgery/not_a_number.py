"""Nothing but nan and inf, which compare as nothing else does."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        def $target(*given, **named):
            shape = np.shape(given[0]) if given else (2,)
            return np.full(shape, np.nan), np.full(shape, np.inf)
    """)
