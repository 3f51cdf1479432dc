"""Asks the kernel for what only an administrator should: modules, programs in it, the clock, the host's name."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts(
        """
        import time

        time.clock_settime(time.CLOCK_REALTIME, time.time())
        reached("the clock")
        """,
        """
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syscall(321, 5, None, 0) >= 0:  # bpf on x86-64
            reached("bpf")
        if libc.syscall(175, None, 0, b"") == 0:  # init_module
            reached("a module")
        """,
        """
        open("/dev/mem", "rb").read(1)
        reached("the machine's memory")
        """,
    )
