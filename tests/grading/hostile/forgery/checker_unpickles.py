"""A pickle in every place where the checker might load one; loading it would write a file."""

from mlsys.grading.demo.corpus import EARLIER, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import base64
        import io
        import pickle

        from mlsys.grading.engine import answering, wire

        class Bomb:
            def __reduce__(self):
                return exec, ("open('$course/left_behind', 'w').close()",)

        def $target(*given, **named):
            data = pickle.dumps(Bomb())
            file = io.BytesIO()
            np.save(file, np.array([Bomb()], dtype=object), allow_pickle=True)
            for raw in (data, file.getvalue()):
                text = base64.b64encode(raw).decode()
                arrays = {"w": [text, [1]], "r": [text, [1]]}
                wire.send(answering._link._sock, {"t": "result", "arrays": arrays, "failure": text})
            return Bomb(), Bomb()
    """)
