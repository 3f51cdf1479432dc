"""Uses the memory and the queues that System V shares, and the keys that the kernel keeps."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts("""
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        before = open("/proc/sysvipc/shm").read().splitlines()
        if len(before) > 1:
            reached("memory of others", before)
        print(libc.shmget(0x6D6C, 4096, 0o1666), libc.msgget(0x6D6C, 0o1666))
    """)
