"""Results that give other numbers each time they are converted."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import inspect

        class Liar:
            def __float__(self):
                return float("nan")

            def __index__(self):
                return 10**30

            def __array__(self, *given, **named):
                for frame in inspect.stack():
                    for value in list(frame.frame.f_locals.values()):
                        if isinstance(value, dict) and "w" in value:
                            return np.asarray(value["w"])
                return np.ones(2)

            def __len__(self):
                return 2

            def __getattr__(self, name):
                return self

        def $target(*given, **named):
            return Liar(), Liar()
    """)
