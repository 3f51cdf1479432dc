"""What the sandbox needs of a machine, and what to do where it is missing. Nothing is done without: it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlsys.grading.errors import CourseError

MODES = ("root", "user")
_CONTAINER = (
    "inside a container: start it with the security options that `mlsys.grading.sandbox.docker` lists; "
    "elsewhere: grade as root or on another machine"
)


class SandboxMissing(CourseError):
    """The sandbox cannot be made here; the message names what is missing and the remedy."""


@dataclass(frozen=True)
class Feature:
    """name; purpose; probed: what is tried, by the function of that name in probes; modes that require it; remedy."""

    name: str
    purpose: str
    probe: str
    probed: str
    remedy: str
    modes: tuple[str, ...] = MODES


TABLE = (
    Feature(
        "Linux 5.14 or later on x86-64 or 64-bit Arm",
        "read-only folders in one call; processes counted box by box",
        "kernel",
        "the kernel's name, version and processor",
        "Debian 12, Ubuntu 22.04 or later; on macOS and Windows grade through Docker",
    ),
    Feature(
        "user namespace",
        "the box's user has no rights outside it",
        "user_namespace",
        "one is made and its user named",
        "sysctl -w user.max_user_namespaces=15000; older Debian: sysctl -w kernel.unprivileged_userns_clone=1; "
        "Ubuntu since 23.10: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or grade as root; "
        + _CONTAINER,
    ),
    Feature(
        "a host user of each box's own",
        "one box's files, signals and processes are not another's",
        "own_user",
        "the host's ids at hand are counted",
        "grade as root of the machine itself, or as an ordinary user",
        ("root",),
    ),
    Feature(
        "mount namespace",
        "a file system of the box's own",
        "mount_namespace",
        "one is made",
        "sysctl -w user.max_mnt_namespaces=15000; " + _CONTAINER,
    ),
    Feature(
        "process namespace",
        "it sees and signals no process but its own; all of them end with it",
        "pid_namespace",
        "one is made",
        "sysctl -w user.max_pid_namespaces=15000; " + _CONTAINER,
    ),
    Feature(
        "network namespace",
        "no network, no abstract sockets of the host",
        "net_namespace",
        "one is made",
        "sysctl -w user.max_net_namespaces=15000; " + _CONTAINER,
    ),
    Feature(
        "ipc, uts and cgroup namespaces",
        "no shared memory, message queues, name or control group of the host",
        "other_namespaces",
        "they are made",
        "sysctl -w user.max_ipc_namespaces=15000 user.max_uts_namespaces=15000 user.max_cgroup_namespaces=15000; "
        + _CONTAINER,
    ),
    Feature(
        "a root of its own",
        "only listed folders are there, read-only; what it writes is capped",
        "own_root",
        "a tmpfs is mounted, a folder bound read-only in it, and it is made the root",
        _CONTAINER,
    ),
    Feature(
        "its own /proc and terminals",
        "programs find their own processes and no others; `!ls` has a terminal",
        "own_proc",
        "both are mounted",
        "nothing may be mounted over parts of /proc; " + _CONTAINER,
    ),
    Feature(
        "no capabilities, no new privileges",
        "nothing in the box can get more rights, by set-user-ID programs either",
        "no_rights",
        "all are given up, and none is left",
        _CONTAINER,
    ),
    Feature(
        "seccomp filter",
        "system calls that a notebook has no use for are refused",
        "seccomp_filter",
        "the filter is installed, and a call refused",
        "a kernel with CONFIG_SECCOMP_FILTER, as every distribution's has; " + _CONTAINER,
    ),
    Feature(
        "processes counted box by box",
        "a fork bomb fills its own box alone",
        "process_limit",
        "under a limit, forks succeed up to it and fail beyond",
        "Linux 5.14 or later",
    ),
    Feature(
        "memory counted by process",
        "a box that takes more than its share is ended",
        "memory_count",
        "/proc/self/status and smaps_rollup are read",
        "a kernel with CONFIG_PROC_PAGE_MONITOR, as every distribution's has",
    ),
)


@dataclass(frozen=True)
class Missing:
    feature: Feature
    reason: str

    def __str__(self) -> str:
        return f"{self.feature.name}: {self.reason}. Remedy: {self.feature.remedy}"


def missing() -> list[Missing]:
    """The required features that this machine lacks for whoever runs this, each tried in a process of its own."""
    if sys.platform != "linux":
        return [Missing(TABLE[0], f"this is {sys.platform}")]
    done = subprocess.run(
        [sys.executable, "-m", "mlsys.grading.sandbox.probes"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SandboxMissing(f"The probes of the sandbox failed: {done.stderr.strip()[-500:]}")
    names = {feature.probe: feature for feature in TABLE}
    return [Missing(names[probe], reason) for probe, reason in json.loads(done.stdout)]


def require(readable: Sequence[str] = ()) -> None:
    """Raise SandboxMissing, with what is missing and its remedy, unless boxes can be made here.

    readable : folders that boxes shall read; as root each file in them must be open to all.
    """
    if lacks := missing():
        who = "as root" if getattr(os, "geteuid", lambda: 0)() == 0 else "as an ordinary user"
        raise SandboxMissing("\n- ".join([f"The sandbox cannot be made here {who}.", *map(str, lacks)]))
    if shut := closed(readable):
        raise SandboxMissing(
            "The sandbox's user cannot read "
            + ", ".join(shut)
            + ". Remedy: chmod -R o+rX on the folders named"
        )


def closed(folders: Sequence[str], most: int = 3) -> list[str]:
    """The first few files in these folders that only their owner may read, where boxes have users of their own."""
    if os.geteuid():
        return []
    found: list[str] = []
    for folder in folders:
        for here, folders_in, files in os.walk(folder):
            names = [here, *(os.path.join(here, name) for name in files)]
            found += [name for name in names if not _open_to_all(Path(name))]
            folders_in[:] = [name for name in folders_in if name != "__pycache__"]
            if len(found) >= most:
                return found[:most]
    return found


def _open_to_all(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return True  # a link to nothing, or gone: nobody needs it
    return mode & (0o5 if path.is_dir() else 0o4) == (0o5 if path.is_dir() else 0o4)


def rows() -> list[tuple[str, ...]]:
    """The table for a reader, its heading first; all plain strings."""
    heading = ("feature", "what it is for", "as root", "as a user", "how it is told", "where it is missing")
    return [heading] + [
        (
            feature.name,
            feature.purpose,
            *("required" if mode in feature.modes else "not there" for mode in MODES),
            feature.probed,
            feature.remedy,
        )
        for feature in TABLE
    ]
