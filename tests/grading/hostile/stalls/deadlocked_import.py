"""An import that waits for a thread, which waits for the import."""

from mlsys.grading.demo.corpus import EARLIER, TOO_LONG, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), flag=TOO_LONG, others=EARLIER)


def hand_in(mine: Submission) -> None:
    (mine.folder / "deadlock.py").write_text(
        "import threading\n\n"
        "waiting = threading.Thread(target=lambda: __import__('deadlock').nothing)\n"
        "waiting.start()\n"
        "waiting.join()\n"
    )
    mine.answer("""
        def $target(*given, **named):
            import deadlock
    """)
