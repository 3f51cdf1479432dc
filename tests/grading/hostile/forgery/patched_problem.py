"""The driver of the exercise, which runs the answer on a case, hands over what suits, and there are no cases."""

from mlsys.grading.demo.corpus import ANY, ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        import sys

        for name, module in list(sys.modules.items()):
            task = getattr(module, "PROBLEM", None)
            if name.startswith("mlsys") and getattr(task, "name", "") == "$name":
                object.__setattr__(task, "cases", lambda rng: [])
                object.__setattr__(task, "points", 0.0)
                object.__setattr__(task, "drive", lambda answer, case: {})
    """)
