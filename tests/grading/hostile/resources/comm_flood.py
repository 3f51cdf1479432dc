"""A hundred thousand messages of widgets that nobody has; every answer is right."""

from mlsys.grading.demo.corpus import EARLIER, GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=(), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.before("""
        from comm import create_comm

        channel = create_comm(target_name="flood")
        for number in range(100_000):
            channel.send({"number": number, "filler": "x" * 100})
    """)
