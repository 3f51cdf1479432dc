"""Prints what the grader's environment holds."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts(
        """
        import os

        print({name: value for name, value in os.environ.items() if "canary" in value or "SECRET" in name})
        """,
        """
        import ctypes

        libc = ctypes.CDLL(None)
        libc.getenv.restype = ctypes.c_char_p
        print(libc.getenv(b"MLSYS_CANARY"), libc.getenv(b"MLSYS_SECRET_FILE"))
        """,
    )
