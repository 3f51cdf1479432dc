"""What features.TABLE tries, each in a fork of this small process: python -m mlsys.grading.sandbox.probes."""

from __future__ import annotations

import json
import os
import platform
import resource
from collections.abc import Callable

from mlsys.grading.sandbox import features, linux, seccomp, watch
from mlsys.grading.sandbox.syscalls import MACHINES

FIRST = (5, 14)


def kernel() -> None:
    machine, release = platform.machine(), platform.release()
    version = tuple(int("0" + "".join(filter(str.isdigit, part))) for part in release.split(".")[:2])
    if machine not in MACHINES or version < FIRST:
        raise RuntimeError(f"this is Linux {release} on {machine}")


def own_user() -> None:
    if linux.spare_id(0) is None:
        raise RuntimeError("no other user can be named here")


def user_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    linux.unshare(linux.NEWUSER)
    linux.map_ids("self", uid, gid, "deny")


def _as_in_a_box() -> None:
    """The rights with which a box is built: root's own, or an ordinary user's in a user namespace."""
    if linux.spare_id(0) is None:
        user_namespace()


def mount_namespace() -> None:
    _as_in_a_box()
    linux.unshare(linux.NEWNS)
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)


def pid_namespace() -> None:
    _as_in_a_box()
    linux.unshare(linux.NEWPID)


def net_namespace() -> None:
    _as_in_a_box()
    linux.unshare(linux.NEWNET)
    linux.loopback_up()


def other_namespaces() -> None:
    _as_in_a_box()
    linux.unshare(linux.NEWIPC | linux.NEWUTS | linux.NEWCGROUP)


def own_root() -> None:
    mount_namespace()
    linux.mount("box", "/tmp", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV)
    for name in ("/tmp/old", "/tmp/usr"):
        os.mkdir(name)
    linux.mount("/usr", "/tmp/usr", flags=linux.MS_BIND | linux.MS_REC)
    linux.restrict("/tmp/usr", linux.ATTR_RDONLY | linux.ATTR_NOSUID | linux.ATTR_NODEV)
    linux.pivot_root("/tmp", "/tmp/old")
    linux.detach("/old")


def own_proc() -> None:
    _as_in_a_box()
    linux.unshare(linux.NEWNS | linux.NEWPID)
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)

    def mounts() -> None:
        linux.mount("box", "/tmp", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV)
        for kind in ("proc", "devpts"):
            os.mkdir(f"/tmp/{kind}")
            linux.mount(kind, f"/tmp/{kind}", kind, linux.MS_NOSUID | linux.MS_NOEXEC)

    _forked(mounts)


def no_rights() -> None:
    user_namespace()
    linux.drop_capabilities()
    linux.no_new_privileges()
    with open("/proc/self/status") as file:
        left = [line for line in file if line.startswith("Cap") and int(line.split()[1], 16)]
    if left:
        raise RuntimeError(f"left over: {left}")


def seccomp_filter() -> None:
    linux.no_new_privileges()
    seccomp.install()
    try:
        linux.unshare(0)
    except PermissionError:
        return
    raise RuntimeError("a refused call went through")


def process_limit() -> None:
    """As a box's user, 4 processes may be, this one counted, however many the user who grades has."""
    owner = linux.spare_id(1024 + os.getpid() % 2048)  # no box alive has it
    if owner is None:
        user_namespace()
        linux.drop_capabilities()
    else:
        os.setgroups([])
        os.setresgid(owner, owner, owner)
        os.setresuid(owner, owner, owner)
    resource.setrlimit(resource.RLIMIT_NPROC, (4, 4))
    reading, writing = os.pipe()
    made = 0
    try:
        for _ in range(8):
            if not os.fork():
                os.close(writing)
                os.read(reading, 1)  # until all are told to end
                os._exit(0)
            made += 1
    except BlockingIOError:
        pass
    os.close(writing)
    for _ in range(made):
        os.wait()
    if made != 3:
        raise RuntimeError(f"of a limit of 4 processes, {made + 1} could be")


def memory_count() -> None:
    if not watch.own_bytes(os.getpid()) or "Pss_Anon" not in watch.table(f"/proc/{os.getpid()}/smaps_rollup"):
        raise RuntimeError("the kernel does not say what memory a process takes")


def _forked(probe: Callable[[], None]) -> None:
    """Run it in a fork; RuntimeError with what it raised there."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            probe()
        except OSError as error:
            os.write(writing, f"{error.strerror} ({error.filename})".encode())
        except BaseException as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with open(reading) as file:
        reason = file.read()
    if reason:
        raise RuntimeError(reason)


def main() -> None:
    """Print, as JSON, the probes that failed and why. Without a user namespace no later one could tell anything."""
    mode = "user" if linux.spare_id(0) is None else "root"
    failed = []
    for feature in features.TABLE:
        if mode not in feature.modes:
            continue
        try:
            _forked(globals()[feature.probe])
        except RuntimeError as error:
            failed.append((feature.probe, str(error)))
            if feature.probe in ("kernel", "user_namespace"):
                break
    print(json.dumps(failed))


if __name__ == "__main__":
    main()
