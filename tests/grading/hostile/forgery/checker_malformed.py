"""Messages to the checker that no honest sender writes: negative shapes, huge shapes, no JSON, wrong types."""

from mlsys.grading.demo.corpus import EARLIER, Expect
from mlsys.grading.demo.submission import Submission
from mlsys.grading.scores import FLAGGED, NOT_GRADED

EXPECT = Expect(status=(FLAGGED, NOT_GRADED), others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        from mlsys.grading.engine import answering, wire

        def $target(*given, **named):
            link, sock = answering._link, answering._link._sock
            for arrays in (
                {"w": ["AAAA", [-1]]},
                {"w": ["AAAA", [2**62, 2**62]]},
                {"w": ["%%%%", [1]]},
                {"w": [["AAAA"], [1.5]]},
                {"w" * 1000: ["", [0]]},
                {str(number): ["", [0]] for number in range(5000)},
                [1, 2, 3],
                "w",
            ):
                wire.send(sock, {"t": "result", "arrays": arrays, "failure": 7})
            for text in (b"hello", b"[]", b'{"t": 3}', b'{"t": "none"}'):
                sock.sendall(len(text).to_bytes(4, "big") + text)
    """)
