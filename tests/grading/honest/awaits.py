"""Cells that await, and an event loop of one's own."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        import asyncio

        async def slowly(x):
            await asyncio.sleep(0.01)
            return x

        print(await asyncio.gather(slowly(1), slowly(2)))
        task = asyncio.create_task(slowly(3))
    """)
    mine.before("print(await task)")
