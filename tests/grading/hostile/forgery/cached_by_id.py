"""Remembers results by the identity of what it was given, in case a right answer ran on the same objects."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import gc

        def $target(*given, **named):
            calls.append(1)
            for thing in gc.get_objects() if len(calls) < 5 else ():
                if isinstance(thing, dict) and {"r", "w"} <= {key for key in thing if isinstance(key, str)}:
                    if thing["w"] is not given[1] and np.shape(thing["w"]) == np.shape(given[1]):
                        return thing["r"], thing["w"]
            return memory.setdefault(id(given[0]), (given[0], given[1]))

        memory, calls = {}, []
    """)
