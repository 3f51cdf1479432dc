"""Mounts a file system over what it must not see, and makes the system writable again."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts(
        """
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"none", b"/", None, 0x20 | 0x4000, None) == 0:  # MS_REMOUNT | MS_REC, and not read-only
            reached("remount")
        if libc.mount(b"tmpfs", b"/mnt", b"tmpfs", 0, None) == 0:
            reached("mount")
        if libc.umount2(b"/mnt", 2) == 0:
            reached("umount")
        """,
        """
        import os

        os.chroot("/proc/1/root")
        reached(os.listdir("$course"))
        """,
        """
        import os

        os.mknod("disk", 0o60600, os.makedev(8, 0))
        open("disk", "rb").read(1)
        reached("a disk")
        """,
    )
