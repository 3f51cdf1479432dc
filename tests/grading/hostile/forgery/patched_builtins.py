"""`print`, `float`, `all`, `any`, `min`, `max`, `sum` and `round` say what suits."""

from mlsys.grading.demo.corpus import ANY, ANYHOW, NEXT, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        import builtins

        names = ("print", "float", "all", "any", "min", "max", "sum", "round")
        kept = {name: getattr(builtins, name) for name in names}

        class Full(float):
            def __new__(cls, *given):
                return kept["float"].__new__(cls, $points)

        builtins.float = Full
        builtins.print = lambda *given, **named: None
        builtins.all = builtins.any = lambda *given: True
        builtins.sum = builtins.round = builtins.min = builtins.max = lambda *given, **named: $points
    """)
    mine.before("for name in kept: setattr(builtins, name, kept[name])", NEXT)
