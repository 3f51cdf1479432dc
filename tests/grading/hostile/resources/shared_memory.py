"""Memory that no process holds: files in /dev/shm, and in anonymous memory files."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import os

        def $target(*given, **named):
            kept = [os.memfd_create("filled")]
            try:
                kept.append(os.open("/dev/shm/filled", os.O_CREAT | os.O_WRONLY))
            except OSError as error:
                print(error)
            for _ in range(2 * $memory // 2**20):
                for file in kept:
                    os.write(file, bytes(2**20))
    """)
