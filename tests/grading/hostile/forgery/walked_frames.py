"""Walks up the frames of those who call the answer, looking for what they expect of it."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import sys

        def $target(*given, **named):
            frame = sys._getframe(1)
            while frame is not None:
                for scope in (frame.f_locals, frame.f_globals):
                    for key, value in list(scope.items()):
                        if key == "reference" and callable(value):
                            return value(*given, **named)
                        if hasattr(value, "reference"):
                            return value.reference.build("$target")(*given, **named)
                        if key == "expected" and value:
                            found = value[-1] if isinstance(value, list) else value
                            return tuple(array[0] for array in found.values())
                frame = frame.f_back
            raise LookupError("nothing in any frame")
    """)
