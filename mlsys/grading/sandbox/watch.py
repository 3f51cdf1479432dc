"""What a box's init does while the body runs: reap, obey, and end all when a limit of the whole box is passed."""

from __future__ import annotations

import os
import resource
import select
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlsys.grading.sandbox.box import Limits

PAUSE_MS = 50
TICKS = os.sysconf("SC_CLK_TCK")
KIB = 1024
# Of /proc/PID/status: what would be gone with the process. Pages of files are not: the kernel drops them at need.
OWN = ("RssAnon", "RssShmem", "VmSwap", "VmPTE")
SOCKETS = ("unix", "tcp", "tcp6", "udp", "udp6")
SOCKET_BYTES = (
    208 * KIB
)  # what the kernel keeps for a socket that nobody reads, at most (net.core.wmem_default)
SHARED_OUT = (
    "Pss_Anon",
    "Pss_Shmem",
    "SwapPss",
)  # the same without page tables, pages divided by who shares them


def supervise(body: int, control: int, limits: Limits) -> dict[str, Any] | None:
    """Until the body ends, a limit is passed or the coordinator says so: what to tell it, None if it knows."""
    poller = select.poll()
    for descriptor in (control, os.pidfd_open(body)):
        poller.register(descriptor, select.POLLIN)
    while True:
        ready = dict(poller.poll(PAUSE_MS))
        told = _reap(body) or _passed(limits)
        if told:
            return told
        if control in ready:
            command = os.read(control, 1)
            if command == b"i":
                os.kill(body, signal.SIGINT)
            else:
                return None


def _reap(body: int) -> dict[str, Any] | None:
    """Bury whoever has ended; how the body did, if it has."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if pid == body:
            code = os.waitstatus_to_exitcode(status)
            if code == -signal.SIGXCPU:
                return {"event": "cpu"}
            return {"event": "exit", "code": code} if code >= 0 else {"event": "signal", "signal": -code}
        if not pid:
            return None


def _passed(limits: Limits) -> dict[str, Any] | None:
    pids = [pid for name in os.listdir("/proc") if name.isdigit() and (pid := int(name)) != os.getpid()]
    if cpu_s(pids) > limits.cpu_s:
        return {"event": "cpu"}
    sockets = socket_bytes()
    if sockets + sum(map(own_bytes, pids)) <= limits.memory_bytes:
        return None  # counting shared pages more than once, it is within: the dear count below is not needed
    memory_bytes = sockets + sum(map(fair_bytes, pids))
    return {"event": "memory", "bytes": memory_bytes} if memory_bytes > limits.memory_bytes else None


def cpu_s(pids: list[int]) -> float:
    """Processor time of these processes, of the children they buried, and of those that we did."""
    buried = resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = 0
    for pid in pids:
        fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime of proc(5)
    return buried.ru_utime + buried.ru_stime + ticks / TICKS


def socket_bytes() -> int:
    """What the box's sockets may hold in the kernel, where no process's record shows it."""
    return SOCKET_BYTES * sum(max(0, _read(f"/proc/net/{kind}").count("\n") - 1) for kind in SOCKETS)


def own_bytes(pid: int) -> int:
    """Memory of a process as if it shared none, page tables included; 0 when it has ended."""
    found = table(f"/proc/{pid}/status")
    if "RssAnon" not in found and int(found.get("Threads", "0")) > 1:
        # Its first thread has ended and shows no memory; the others still use it.
        for task in _listed(f"/proc/{pid}/task"):
            found = table(f"/proc/{pid}/task/{task}/status")
            if "RssAnon" in found:
                break
    return sum(_kib(found, name) for name in OWN)


def fair_bytes(pid: int) -> int:
    """Memory of a process with shared pages divided among those who share them; own_bytes where it hides that."""
    found = table(f"/proc/{pid}/smaps_rollup")
    if "Pss_Anon" not in found:
        return own_bytes(pid)
    return sum(_kib(found, name) for name in SHARED_OUT) + _kib(table(f"/proc/{pid}/status"), "VmPTE")


def _read(path: str) -> str:
    """The file, or nothing if the process has gone or does not let us."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def _listed(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []


def table(path: str) -> dict[str, str]:
    """A file of lines `name: text`; empty as _read is."""
    return {
        name: rest.strip() for line in _read(path).splitlines() for name, _, rest in [line.partition(":")]
    }


def _kib(found: dict[str, str], name: str) -> int:
    return int(found.get(name, "0 kB").split()[0]) * KIB
