"""Calls `check` with probes, reads from its messages what was expected, and answers that."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.before("""
        import contextlib
        import io
        import re

        learnt, seen = {}, []

        def probe(*given, **named):
            seen.append(given)
            return np.zeros(np.shape(given[0])), np.zeros(np.shape(given[0]))

        for _ in range(20):
            text = io.StringIO()
            with contextlib.redirect_stdout(text):
                check("$name", probe)
            numbers = re.findall(r"should be (\\[[^]]*\\])", text.getvalue())
            learnt[len(learnt)] = numbers
        print(len(seen), [numbers for numbers in learnt.values() if numbers][:1])
    """)
    mine.answer("""
        def $target(*given, **named):
            for numbers in learnt.values():
                for text in numbers:
                    values = np.array([float(x) for x in text.strip("[]").split()])
                    if values.shape == np.shape(given[0]):
                        return values, values
            return np.zeros(np.shape(given[0])), np.zeros(np.shape(given[0]))
    """)
