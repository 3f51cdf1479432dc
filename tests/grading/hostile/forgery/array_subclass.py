"""A result of a class derived from numpy's array, whose every operation agrees."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        class Agreeable(np.ndarray):
            __array_priority__ = 1e9

            def __array_ufunc__(self, ufunc, method, *inputs, **named):
                return np.zeros(self.shape) if ufunc is not np.less_equal else np.ones(self.shape, dtype=bool)

            def __array_function__(self, function, types, given, named):
                return True

        def $target(*given, **named):
            shape = np.shape(given[0]) if given else (2,)
            return np.ones(shape).view(Agreeable), np.ones(shape).view(Agreeable)
    """)
