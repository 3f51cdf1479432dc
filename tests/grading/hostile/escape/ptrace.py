"""Attaches to its parent and to the process of another as a debugger, and reads their memory."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts(
        """
        import ctypes
        import os

        libc = ctypes.CDLL(None, use_errno=True)
        for pid in (os.getppid(), $pid):
            if libc.ptrace(0x4206, pid, 0, 0) == 0:  # PTRACE_SEIZE, which stops nobody
                reached("ptrace", pid)
        """,
        """
        class Part(ctypes.Structure):
            _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))

        here = ctypes.create_string_buffer(8)
        local, remote = Part(ctypes.addressof(here), 8), Part(id(np), 8)
        for pid in (os.getppid(), $pid):
            if libc.process_vm_readv(pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0) > 0:
                reached("memory", pid)
        """,
    )
