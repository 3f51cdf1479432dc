"""Searches all objects of the process for a reference, for arrays that are expected, and for the secret."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import gc

        def $target(*given, **named):
            for thing in gc.get_objects():
                kind = type(thing).__name__
                if kind == "Grader":
                    return thing.reference.build("$target")(*given, **named)
                if kind == "function" and ".grader." in str(thing.__module__):
                    print(thing)
                    if thing.__name__ == "$target":
                        return thing(*given, **named)
            raise LookupError("nothing in the heap")
    """)
