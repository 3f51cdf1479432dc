"""The oracle that an answer is served says whatever one likes: its count is never used up."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, SERVED, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, attacked=(SERVED,), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer(
        """
        def $target(oracle):
            kind = type(oracle)
            kind.left = property(lambda self: 10**9)
            for name in [name for name in dir(oracle) if not name.startswith("_")]:
                print(name, getattr(oracle, name))
            return np.zeros(oracle.d)
    """,
        SERVED,
    )
