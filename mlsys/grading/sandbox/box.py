"""A box: one submission's process, alone with what it is given. Called in a fresh fork of the warm parent.

Three processes. The *outer* one, a child of the warm parent, stays on the host, waits and reports. *Init* is pid 1 of
the box's namespaces: it builds the box, gives up every right, watches the limits and obeys the coordinator; when it
ends the kernel kills all others. The *body* is the student's.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from mlsys.grading.sandbox import linux, seccomp, tree, watch

GIB, MIB = 1 << 30, 1 << 20
# Of the host's system, what programs need and that names nobody. Without /etc/fonts, matplotlib's figures warn.
SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"),
    *("/etc/alternatives", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types"),
)


@dataclass(frozen=True)
class Limits:
    """Of a box as a whole: memory_bytes, processes (threads count), cpu_s, file_bytes and files (all that it writes).

    Of each process: memory_bytes of private memory, open_files. memory_bytes holds what the warm parent has too.
    """

    memory_bytes: int = 2 * GIB
    processes: int = 64
    cpu_s: float = 600
    file_bytes: int = 256 * MIB
    files: int = 10_000
    open_files: int = 256


@dataclass(frozen=True)
class Box:
    """What a body may see and use.

    readable : absolute paths of the host, there at the same place and read-only; all else is absent
    masked : paths inside those that are there but empty
    home : a writable folder of the box's own, in which the body starts
    files : a folder of the host whose plain files are copied to home first
    environment : the whole of it
    slot : a small number, unique among the boxes alive at once; it chooses the user of the box where we are root
    """

    readable: tuple[str, ...]
    masked: tuple[str, ...]
    home: str
    files: str | None
    environment: dict[str, str]
    limits: Limits
    slot: int


def system() -> tuple[str, ...]:
    """Those of SYSTEM that this machine has: the first part of a box's `readable`; the rest is Python's."""
    return tuple(path for path in SYSTEM if os.path.lexists(path))


def run(box: Box, body: Callable[[], None], keep: Sequence[int], control: int) -> NoReturn:
    """Run body() in the box, with the descriptors `keep` and no others; the calling process is used up.

    control : a unix stream socket. In: b"i" interrupts the body (KeyboardInterrupt); b"k", or its end, ends everything.
    Out, one line of JSON: {"event": "exit", "code"} | {"event": "signal", "signal"} | {"event": "memory", "bytes"}
    | {"event": "cpu"} | {"event": "files", "reason"} | {"event": "refused", "reason"}; then its end, when nothing of
    the box is left.
    """
    try:
        linux.die_with_parent()
        _close_all_but([*keep, control])
        os.setsid()
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
        told = _outer(box, body, keep, control)
    except BaseException as error:
        told = _refused(error)
    _end(control, told)


def _outer(box: Box, body: Callable[[], None], keep: Sequence[int], control: int) -> dict[str, Any] | None:
    """Make init, name its user, wait for its end; what to tell where it could not."""
    owner = linux.spare_id(box.slot)
    if owner is None:
        uid, gid = os.geteuid(), os.getegid()
        linux.unshare(linux.NEWUSER)
        linux.map_ids("self", uid, gid, "deny")
    linux.unshare(linux.NEWPID)
    ours, inits = socket.socketpair()
    init = os.fork()
    if not init:
        ours.close()
        _init(box, body, keep, control, owner, inits)
    inits.close()
    for descriptor in keep:
        os.close(descriptor)
    if owner is not None and ours.recv(1):
        linux.map_ids(init, owner, owner, "allow")
        ours.send(b"m")
    status = os.waitpid(init, 0)[1]
    signalled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return {"event": "signal", "signal": signalled} if signalled else None  # else it has spoken for itself


def _init(
    box: Box,
    body: Callable[[], None],
    keep: Sequence[int],
    control: int,
    owner: int | None,
    outer: socket.socket,
) -> NoReturn:
    try:
        linux.die_with_parent()
        os.setsid()
        _default_signals()  # which makes pid 1 deaf to what the body sends
        linux.unshare(linux.NEWNS | linux.NEWNET | linux.NEWIPC | linux.NEWUTS | linux.NEWCGROUP)
        linux.loopback_up()
        socket.sethostname("box")
        tree.build(box, owner)
        if owner is not None:
            linux.unshare(linux.NEWUSER)
            outer.send(b"m")
            if not outer.recv(1):
                raise ChildProcessError("the box's user could not be named")
            _become_inside()
        outer.close()
        _give_up_rights(box.limits)
        _check_readable(box)
        linux.replace_environment(box.environment)
        told = _split(box, body, keep, control)
    except BaseException as error:
        told = _refused(error)
    _end(control, told)


def _split(box: Box, body: Callable[[], None], keep: Sequence[int], control: int) -> dict[str, Any] | None:
    """Fork the body and watch it to its end; what to tell of that."""
    child = os.fork()
    if not child:
        _body(box, body, control)
    for descriptor in keep:
        os.close(descriptor)
    return watch.supervise(child, control, box.limits)


def _body(box: Box, body: Callable[[], None], control: int) -> NoReturn:
    code = 1
    try:
        os.close(control)
        os.setsid()
        linux.set_dumpable(True)  # it may look at itself; init may not be looked at
        os.chdir(box.home)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_IGN)  # as Python does at its start
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        body()
        code = 0
    except SystemExit as leaving:
        code = (leaving.code or 0) & 255 if isinstance(leaving.code, int | None) else 1
    finally:
        os._exit(code)


def _close_all_but(wanted: Sequence[int]) -> None:
    """Descriptors 0, 1, 2 lead nowhere; those that are wanted stay; the rest is closed."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    last = 2
    for descriptor in sorted(wanted):
        os.closerange(last + 1, descriptor)
        last = descriptor
    os.closerange(last + 1, os.sysconf("SC_OPEN_MAX"))


def _default_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    # An interrupt that comes before the body listens must not kill it.
    signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGINT])


def _become_inside() -> None:
    os.setgroups([])
    os.setresgid(linux.INSIDE, linux.INSIDE, linux.INSIDE)
    os.setresuid(linux.INSIDE, linux.INSIDE, linux.INSIDE)


def _give_up_rights(limits: Limits) -> None:
    """What init sets on itself for the body to inherit: no rights, few resources, few system calls."""
    linux.drop_capabilities()
    linux.no_new_privileges()
    linux.set_dumpable(False)
    linux.die_with_parent()
    seconds = math.ceil(limits.cpu_s)
    for kind, soft, hard in (
        (resource.RLIMIT_NPROC, limits.processes, limits.processes),
        (resource.RLIMIT_NOFILE, limits.open_files, limits.open_files),
        (resource.RLIMIT_DATA, limits.memory_bytes, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.file_bytes, limits.file_bytes),
        (resource.RLIMIT_CPU, seconds + 1, seconds + 2),
        (
            resource.RLIMIT_CORE,
            1,
            1,
        ),  # at 0 the host's own crash reporter would still be started; at 1 nothing is
        (resource.RLIMIT_MSGQUEUE, 0, 0),
    ):
        most = resource.getrlimit(kind)[1]
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(kind, (soft, hard))
    seccomp.install()


def _check_readable(box: Box) -> None:
    """Raises PermissionError where the body's user could not read what it was given (a folder made under umask 077)."""
    for path in box.readable:
        if not os.access(path, os.R_OK | (os.X_OK if os.path.isdir(path) else 0)):
            raise PermissionError(f"{path} is closed to the sandbox's user; open it: chmod -R o+rX {path}")


def _refused(error: BaseException) -> dict[str, Any]:
    if isinstance(error, tree.Unfit):
        return {"event": "files", "reason": str(error)}
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return {"event": "refused", "reason": f"{error.strerror}{where}"}
    return {"event": "refused", "reason": f"{type(error).__name__}: {error}"}


def _end(control: int, told: dict[str, Any] | None) -> NoReturn:
    """Say what there is to say, and end with all that hangs on this process."""
    if told:
        with contextlib.suppress(OSError):
            os.write(control, json.dumps(told).encode() + b"\n")
    os._exit(0)
