"""Uses a test in a cell of one's own to spend the oracle's budget once more, and remembers what it found."""

from mlsys.grading.demo.corpus import ANYHOW, SERVED, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, attacked=(SERVED,))


def hand_in(mine: Submission) -> None:
    mine.before(
        """
        $right

        spent, found = $target, []

        def remembers(oracle):
            found.append(np.asarray(spent(oracle)))
            return found[-1]

        check("$name", remembers)
        print(len(found))
    """,
        SERVED,
    )
    mine.answer(
        """
        def $target(oracle):
            same = [w for w in found if w.shape == (oracle.d,)]
            return same[0] if same else np.zeros(oracle.d)
    """,
        SERVED,
    )
