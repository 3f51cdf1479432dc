"""A result that equals whatever it is compared with."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        class Same:
            shape, ndim, dtype, size = (2,), 1, np.dtype(float), 2

            def __eq__(self, other):
                return True

            def agree(self, *given):
                return self

            __abs__ = __sub__ = __rsub__ = __le__ = __lt__ = __ge__ = __gt__ = __getitem__ = agree
            __hash__ = None

            def __bool__(self):
                return True

        def $target(*given, **named):
            return Same(), Same()
    """)
