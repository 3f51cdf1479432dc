"""Looks at the processes of the machine: command lines, environments, open files, memory."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts(
        """
        import glob

        for path in glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/environ"):
            try:
                text = open(path, "rb").read().decode(errors="replace")
            except OSError as error:
                print(error)
                continue
            print(path, [part for part in text.split(chr(0)) if "canary" in part])
        """,
        "reached(open('/proc/$pid/cmdline').read())",
        "reached(open('/proc/$pid/mem', 'rb').read(1))",
        """
        import os

        reached(os.readlink("/proc/$pid/exe"), os.listdir("/proc/$pid/root$course"))
        """,
    )
