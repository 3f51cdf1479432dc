"""The name asked for is looked up by an object that watches: it answers rightly only when nobody compares."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        class Watches:
            __name__ = "$target"

            def __call__(self, *given, **named):
                raise NotImplementedError("your code here")

            def __getattr__(self, name):
                return self

            def __float__(self):
                return $points

        $target = Watches()
    """)
