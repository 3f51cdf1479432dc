"""A cell of one's own awaits what never happens; every answer is right."""

from mlsys.grading.demo.corpus import TOO_LONG, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag=TOO_LONG, attacked=())


def hand_in(mine: Submission) -> None:
    mine.before("""
        import asyncio

        await asyncio.Event().wait()
    """)
