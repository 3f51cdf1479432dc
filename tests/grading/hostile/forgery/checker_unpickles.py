"""A pickle in every place where the checker might load one; loading it would write a file."""

from mlsys.grading.demo.corpus import EARLIER, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.channels()
    mine.answer("""
        import base64
        import io
        import pickle

        class Bomb:
            def __reduce__(self):
                return exec, ("open('$course/left_behind', 'w').close()",)

        def $target(*given, **named):
            file = io.BytesIO()
            np.save(file, np.array([Bomb()], dtype=object), allow_pickle=True)
            for raw in (pickle.dumps(Bomb()), file.getvalue()):
                text = base64.b64encode(raw).decode()
                for channel in channels():
                    arrays = {"w": [text, [1]], "r": [text, [1]]}
                    tell(channel, {"t": "result", "arrays": arrays, "failure": text})
                    tell(channel, raw)
            return Bomb(), Bomb()
    """)
