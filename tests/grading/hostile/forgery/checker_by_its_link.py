"""Asks for a test by oneself, and answers each case with a verdict in place of a result."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import gc

        def $target(*given, **named):
            links = [thing for thing in gc.get_objects() if hasattr(type(thing), "ask")]
            for link in links:
                frame = link.ask({"t": "result", "points": $points, "score": 1.0, "verdict": [1.0, ""]})
                frame = link.ask({"t": "points", "name": "$name", "points": $points})
                frame = link.ask({"t": "check", "name": "$name"})
                print(frame)
    """)
