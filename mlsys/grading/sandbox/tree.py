"""The file system of a box: a new root that holds what is allow-listed, read-only, and one small writable tmpfs."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mlsys.grading.sandbox import linux

if TYPE_CHECKING:
    from mlsys.grading.sandbox.box import Box

OLD = "/.old"  # the host's root, until all is built
SCRATCH = "/.scratch"  # the writable tmpfs, until its folders are in place
READ_ONLY = linux.ATTR_RDONLY | linux.ATTR_NOSUID | linux.ATTR_NODEV
PRIVATE = linux.MS_NOSUID | linux.MS_NODEV
# Without /dev/zero: its shared mappings are memory that no process's record shows.
DEVICES = ("null", "full", "random", "urandom")
LINKS = {
    "/dev/fd": "/proc/self/fd",
    "/dev/stdin": "/proc/self/fd/0",
    "/dev/stdout": "/proc/self/fd/1",
    "/dev/stderr": "/proc/self/fd/2",
    "/dev/ptmx": "pts/ptmx",
}
WRITABLE = {"/tmp": 0o1777, "/dev/shm": 0o1777}
Step = tuple[str, str, str]  # what to do, where, with what


class Unfit(Exception):
    """The files to be copied into a box cannot be, for what they are; the box itself is as it should be."""


def build(box: Box, owner: int | None) -> None:
    """Build the box's root and make it ours; owner: the host's user of the writable folders, None for our own.

    Needs a mount namespace of our own. Raises OSError, naming the call or the file.
    """
    os.umask(0o022)
    steps = plan(box)
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("box", "/tmp", "tmpfs", PRIVATE, "size=4m,nr_inodes=4k,mode=0755")
    os.mkdir("/tmp" + OLD)
    linux.pivot_root("/tmp", "/tmp" + OLD)
    os.chdir("/")
    os.mkdir(SCRATCH)
    limits = box.limits
    linux.mount(
        "box", SCRATCH, "tmpfs", PRIVATE, f"size={limits.file_bytes},nr_inodes={limits.files},mode=0755"
    )
    for kind, path, source in steps:
        DOERS[kind](path, source)
    _who_is_who(box)
    if box.files:
        try:
            _copy(OLD + os.path.realpath(box.files), box.home, owner)
        except OSError as error:
            most = f"{limits.file_bytes >> 20} MiB and {limits.files} files"
            full = error.errno in (errno.ENOSPC, errno.EFBIG)
            raise Unfit(f"they do not fit in {most}" if full else error.strerror or str(error)) from None
    if owner is not None:
        os.chown(box.home, owner, owner)
    for kind, path, _ in steps:
        if kind == "mask":
            linux.restrict(path, READ_ONLY)
    for path in (SCRATCH, OLD):
        linux.detach(path)
        os.rmdir(path)
    linux.restrict("/", READ_ONLY, recursive=False)


def plan(box: Box) -> list[Step]:
    """What is put where, parents first, every source resolved on the host. Paths inside a bound one need nothing."""
    wanted: dict[str, tuple[str, str]] = {path: ("expose", path) for path in map(_plain, box.readable)}
    wanted |= {path: ("mask", path) for path in map(_plain, box.masked)}
    wanted |= {path: ("writable", oct(mode)) for path, mode in WRITABLE.items()}
    wanted |= {
        "/proc": ("processes", ""),
        "/dev": ("devices", ""),
        _plain(box.home): ("writable", oct(0o700)),
    }
    steps = []
    for path in sorted(wanted, key=lambda p: (p.count("/"), p)):
        kind, source = wanted[path]
        if kind == "expose":
            if _nearest(path, wanted) == "expose":
                continue
            source = os.path.realpath(path, strict=True)
            if os.path.islink(path) and any(_inside(source, other) for other in wanted if other != path):
                kind, source = "link", os.readlink(path)
        elif kind == "mask" and not (_nearest(path, wanted) == "expose" and os.path.exists(path)):
            continue  # nothing to hide
        steps.append((kind, path, source))
    return steps


def _plain(path: str) -> str:
    if not os.path.isabs(path) or os.path.normpath(path) == "/":
        raise ValueError(f"{path!r} must be an absolute path other than /")
    return os.path.normpath(path)


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def _nearest(path: str, wanted: dict[str, tuple[str, str]]) -> str:
    """What is done to the closest of the folders above path that something is done to; empty if there is none."""
    above = (str(parent) for parent in PurePosixPath(path).parents)
    return next((wanted[parent][0] for parent in above if parent in wanted), "")


def _bind(source: str, path: str) -> None:
    """Put source, a path of ours, at path as well."""
    if os.path.isdir(source):
        os.makedirs(path, exist_ok=True)
    elif not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "x").close()
    linux.mount(source, path, flags=linux.MS_BIND | linux.MS_REC)


def _expose(path: str, source: str) -> None:
    _bind(OLD + source, path)
    linux.restrict(path, READ_ONLY)


def _link(path: str, target: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink(target, path)


def _mask(path: str, _: str) -> None:
    if os.path.isdir(path):
        linux.mount("box", path, "tmpfs", PRIVATE, "size=64k,nr_inodes=64,mode=0755")
    else:
        empty = "/.empty"
        open(empty, "x").close()
        _bind(empty, path)
        os.unlink(empty)


def _writable(path: str, mode: str) -> None:
    """A folder of the one writable tmpfs, so that one cap holds for all of them together."""
    source = SCRATCH + "/" + path.strip("/").replace("/", "-")
    os.mkdir(source)
    os.chmod(source, int(mode, 8))
    _bind(source, path)


def _processes(path: str, _: str) -> None:
    """The box's own processes. Read-only: the host's settings stand beneath it too."""
    os.makedirs(path, exist_ok=True)
    linux.mount("proc", path, "proc", PRIVATE | linux.MS_NOEXEC | linux.MS_RDONLY)


def _devices(path: str, _: str) -> None:
    os.makedirs(path + "/pts")
    for name in DEVICES:
        _bind(f"{OLD}{path}/{name}", f"{path}/{name}")
        linux.restrict(f"{path}/{name}", linux.ATTR_NOSUID | linux.ATTR_NOEXEC)
    linux.mount("box", path + "/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, "ptmxmode=0666,mode=0620")
    for link, target in LINKS.items():
        os.symlink(target, link)


def _who_is_who(box: Box) -> None:
    """The few files of /etc by which programs find the name of the user, unless they were asked for."""
    texts = {
        "passwd": f"student:x:{linux.INSIDE}:{linux.INSIDE}::{box.home}:/bin/sh\n",
        "group": f"student:x:{linux.INSIDE}:\n",
        "hosts": "127.0.0.1 localhost box\n",
    }
    os.makedirs("/etc", exist_ok=True)
    for name, text in texts.items():
        if not os.path.lexists(f"/etc/{name}") and not os.path.ismount("/etc"):
            with open(f"/etc/{name}", "x") as file:
                file.write(text)


def _copy(source: str, target: str, owner: int | None) -> None:
    """Copy the plain files of a folder; links, sockets, devices and pipes stay behind."""
    for entry in os.scandir(source):
        place = os.path.join(target, entry.name)
        if entry.is_dir(follow_symlinks=False):
            os.mkdir(place)
            _copy(entry.path, place, owner)
        elif entry.is_file(follow_symlinks=False):
            descriptor = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(descriptor, "rb") as reading, open(place, "xb") as writing:
                if stat.S_ISREG(os.fstat(descriptor).st_mode):
                    shutil.copyfileobj(reading, writing)
        else:
            continue
        os.chmod(place, 0o700 if entry.is_dir() else 0o600)
        if owner is not None:
            os.chown(place, owner, owner)


DOERS = {
    "expose": _expose,
    "link": _link,
    "mask": _mask,
    "writable": _writable,
    "processes": _processes,
    "devices": _devices,
}
