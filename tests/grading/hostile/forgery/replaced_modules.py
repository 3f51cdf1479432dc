"""`mlsys` and its parts are replaced in sys.modules, before a test imports them anew."""

from mlsys.grading.demo.corpus import ANY, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="HERE", others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        import sys
        import types

        fake = types.ModuleType("mlsys.grading")
        fake.check = lambda name, answer: $points
        for name in [name for name in sys.modules if name.startswith("mlsys")]:
            sys.modules[name] = fake
        check = fake.check
    """)
