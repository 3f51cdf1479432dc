"""`check` is replaced where it comes from, and so are its parts: judge, score, the cases."""

from mlsys.grading.demo.corpus import ANY, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="HERE", others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        import sys

        import mlsys.grading

        def full(*given, **named):
            return $points

        for name, module in list(sys.modules.items()):
            if name.startswith("mlsys.") and module is not None:
                for part in ("check", "score", "report"):
                    if callable(getattr(module, part, None)):
                        setattr(module, part, full)
        check = full
    """)
