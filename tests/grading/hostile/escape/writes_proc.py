"""Changes the kernel's settings, other processes' memory and its own priority for being killed."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts(
        """
        before = open("/proc/sys/kernel/core_pattern").read()
        open("/proc/sys/kernel/core_pattern", "w").write(before)
        reached("core_pattern")
        """,
        """
        open("/proc/$pid/mem", "r+b").write(b"x")
        reached("memory")
        """,
        """
        open("/proc/sysrq-trigger", "w").write("h")
        reached("sysrq")
        """,
    )
