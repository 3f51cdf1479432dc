"""Asks for a test by oneself, and answers each case with a verdict in place of a result."""

from mlsys.grading.demo.corpus import ANY, ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        from mlsys.grading.engine import answering

        link = answering._link
        frame = link.ask(t="check", name="$name")
        for _ in range(100):
            if frame.get("t") != "case":
                break
            frame = link.ask(t="result", points=$points, score=1.0, verdict=[1.0, ""], arrays=None, failure="")
        print(frame)
        frame = link.ask(t="points", name="$name", points=$points)
        print(frame)
    """)
