"""Looks for the connection files and sockets of other kernels."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts(
        """
        import glob
        import os

        from jupyter_core.paths import jupyter_runtime_dir

        for path in glob.glob(f"{jupyter_runtime_dir()}/*.json") + glob.glob("/tmp/**/kernel-*.json", recursive=True):
            if str(os.getpid()) not in path:
                print(path, "canary" in open(path).read())
        """,
        """
        for line in open("/proc/net/unix").read().splitlines()[1:]:
            if "mlsys" in line or "kernel" in line:
                reached(line)
        """,
    )
