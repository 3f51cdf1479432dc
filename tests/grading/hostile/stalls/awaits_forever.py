"""A cell of one's own awaits what never happens; every answer is right."""

from mlsys.grading.demo.corpus import Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="too long", attacked=())


def hand_in(mine: Submission) -> None:
    mine.before("""
        import asyncio

        await asyncio.Event().wait()
    """)
