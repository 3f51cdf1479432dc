"""Looks at every descriptor that was left open: files, folders, sockets of the grader's."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts("""
        import os

        for number in range(4096):
            try:
                target = os.readlink(f"/proc/self/fd/{number}")
            except OSError:
                continue
            print(number, target)
            if target.startswith("$course") or target.endswith(".db"):
                reached(target)
            if os.path.isdir(f"/proc/self/fd/{number}"):
                above = os.open("..", os.O_RDONLY, dir_fd=number)
                print([name for name in os.listdir(above) if name == "submitted"])
    """)
