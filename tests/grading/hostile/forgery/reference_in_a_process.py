"""Another Python process imports what is absent here."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, flag="mlsys.problems")


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import pickle
        import subprocess
        import sys

        code = (
            "import pickle, sys; from mlsys.problems import grader; given = pickle.load(sys.stdin.buffer); "
            "pickle.dump(grader('$name').reference.build('$target')(*given), sys.stdout.buffer)"
        )

        def $target(*given, **named):
            done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(given), capture_output=True)
            return pickle.loads(done.stdout)
    """)
