"""Messages to the checker that are no JSON, no table, of no type, or nested too deeply."""

from mlsys.grading.demo.corpus import EARLIER, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.channels()
    mine.answer("""
        def $target(*given, **named):
            for channel in channels():
                for data in (b"hello", b"[]", b'{"t": 3}', b'{"t": "none"}', b"[" * 10**6, b"\\xff\\xfe", b""):
                    tell(channel, data)
    """)
