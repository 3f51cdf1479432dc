"""The system calls of the sandbox that Python 3.11 has no function for. A failure is an OSError that names the call."""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import signal
import socket
import struct

from mlsys.grading.sandbox.syscalls import NUMBERS

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_RDONLY = 2, 4, 8, 1
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV, ATTR_NOEXEC = 1, 2, 4, 8
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
INSIDE = 1000  # the only user and group of a box
FIRST_UID, ENOUGH_IDS = 200_000, 4096

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _syscall(name: str, *arguments: object) -> None:
    number = NUMBERS[platform.machine()][name]
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    _check(_libc.syscall(ctypes.c_long(number), *words), name)


def _prctl(what: int, argument: object = 0, third: object = 0) -> int:
    words = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in (argument, third, 0, 0)]
    return _libc.prctl(ctypes.c_int(what), *words)


def unshare(flags: int) -> None:
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    words = [os.fsencode(word) if word else None for word in (source, target, kind)]
    data = options.encode() or None
    _check(_libc.mount(*words, ctypes.c_ulong(flags), data), f"mount {kind or source} at {target}")


def restrict(target: str, attributes: int, recursive: bool = True) -> None:
    """Add attributes to a mount and, at the same moment, to all beneath it."""
    wanted = struct.pack("4Q", attributes, 0, 0, 0)
    at_fdcwd, at_recursive = -100, 0x8000
    _syscall(
        "mount_setattr", at_fdcwd, os.fsencode(target), at_recursive if recursive else 0, wanted, len(wanted)
    )


def detach(target: str) -> None:
    _check(_libc.umount2(os.fsencode(target), ctypes.c_int(MNT_DETACH)), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    _syscall("pivot_root", os.fsencode(new), os.fsencode(old))


def spare_id(slot: int) -> int | None:
    """The host's user and group for a slot, where we are root and have ids to give; else None: our own must do."""
    if os.geteuid():
        return None
    extents = []
    for table in ("uid_map", "gid_map"):
        with open(f"/proc/self/{table}") as file:
            extents.append([tuple(map(int, line.split())) for line in file])
    tops = [max(first + count for first, _, count in table) for table in extents]
    if min(tops) < ENOUGH_IDS:
        return None
    return FIRST_UID + slot if min(tops) > FIRST_UID + ENOUGH_IDS else min(tops) - ENOUGH_IDS + slot


def map_ids(pid: int | str, uid: int, gid: int, groups: str) -> None:
    """Make INSIDE the one user of pid's new namespace, uid and gid outside; groups: "allow" or "deny" setgroups."""
    for name, text in (
        ("setgroups", groups),
        ("gid_map", f"{INSIDE} {gid} 1"),
        ("uid_map", f"{INSIDE} {uid} 1"),
    ):
        with open(f"/proc/{pid}/{name}", "w") as file:
            file.write(text)


def loopback_up() -> None:
    """127.0.0.1 in the box's own network, for programs that talk to themselves; it leads nowhere else."""
    siocsifflags, iff_up = 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, siocsifflags, struct.pack("16sH14x", b"lo", iff_up))


def drop_capabilities() -> None:
    """All five sets, for good."""
    for capability in range(64):
        if _prctl(PR_CAPBSET_DROP, capability) == -1:
            break  # the first number that this kernel does not know
    _check(_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL), "prctl PR_CAP_AMBIENT")
    version_3 = struct.pack("Ii", 0x20080522, 0)
    _check(_libc.capset(version_3, bytes(24)), "capset")


def no_new_privileges() -> None:
    _check(_prctl(PR_SET_NO_NEW_PRIVS, 1), "prctl PR_SET_NO_NEW_PRIVS")


def die_with_parent() -> None:
    """SIGKILL when the parent ends. A change of user or capabilities undoes it."""
    _check(_prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL)), "prctl PR_SET_PDEATHSIG")


def set_dumpable(yes: bool) -> None:
    """Whether processes of the same user may trace this one and read its memory, environment and descriptors."""
    _check(_prctl(PR_SET_DUMPABLE, int(yes)), "prctl PR_SET_DUMPABLE")


def filter_calls(program: bytes) -> None:
    """Install a seccomp filter, an array of `sock_filter`, on this process and all it forks."""
    buffer = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("HP", len(program) // 8, ctypes.addressof(buffer))
    mode_filter = 2
    _check(_prctl(PR_SET_SECCOMP, mode_filter, described), "prctl PR_SET_SECCOMP")


def replace_environment(environment: dict[str, str]) -> None:
    """The whole environment, the block from which the process was started (/proc/self/environ) wiped as well."""
    os.environ.clear()
    _libc.clearenv()
    with open("/proc/self/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    start, end = int(fields[47]), int(fields[48])  # fields 50 and 51 of proc(5)
    ctypes.memset(start, 0, end - start)
    os.environ.update(environment)
