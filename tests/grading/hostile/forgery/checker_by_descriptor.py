"""Writes forged verdicts to every socket and pipe that is open."""

from mlsys.grading.demo.corpus import ANY, ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        import json
        import os
        import stat
        import struct

        forged = [
            {"t": "points", "name": "$name", "points": $points},
            {"t": "result", "name": "$name", "points": $points, "arrays": {}, "failure": ""},
            {"t": "verdict", "exercise": "$name", "score": 1.0},
        ]
        for number in range(3, 4096):
            try:
                mode = os.fstat(number).st_mode
            except OSError:
                continue
            if stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode):
                os.set_blocking(number, False)
                for message in forged:
                    text = json.dumps(message).encode()
                    for data in (struct.pack(">I", len(text)) + text, text + b"\\n"):
                        try:
                            os.write(number, data)
                        except OSError as error:
                            print(number, error)
    """)
