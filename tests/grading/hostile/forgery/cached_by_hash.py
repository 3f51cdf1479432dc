"""A table from the inputs' hash to results, made from the public cases at home."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import hashlib

        table = {}

        def $target(*given, **named):
            key = hashlib.sha256(b"".join(np.asarray(x).tobytes() for x in given)).hexdigest()
            return table.get(key, (np.zeros(np.shape(given[0])), np.zeros(np.shape(given[0]))))
    """)
