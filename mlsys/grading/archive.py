"""What a delivered folder or archive holds: every file under a number of ours, every trick refused by name.

No name from an archive ever becomes a path here, so nothing can be written outside the staging folder. A file that is a
trick is refused alone; an archive that cannot be trusted as a whole (encrypted, corrupt, a bomb) is refused as a whole.
"""

from __future__ import annotations

import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

from mlsys.grading.errors import CourseError
from mlsys.grading.filenames import Parts, clashing, name_fault, parts_of

ZIPS = (".zip",)
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
UNREADABLE = (".7z", ".rar", ".tar.zst")
JUNK = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints", "__pycache__", ".git"}
CLASH = "its name clashes with another's where case or accents do not count"
LEVELS = 2  # the platform's archive, and a student's archive inside it
BROKEN = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError),
    *(RuntimeError, NotImplementedError, ValueError),  # encrypted; packed in an unknown way
)


class Limits(NamedTuple):
    """What is still a class's work, and a student's.

    files, total_bytes : of an archive;  nested_files, nested_bytes : of an archive in it;  file_bytes : of one file
    ratio : how many times its size a file of more than ratio_from_bytes may unpack to
    directory_bytes : of a zip's list of its files
    """

    files: int = 20_000
    file_bytes: int = 100 * 2**20
    total_bytes: int = 4 * 2**30
    nested_files: int = 2_000
    nested_bytes: int = 256 * 2**20
    ratio: int = 200
    ratio_from_bytes: int = 10 * 2**20
    directory_bytes: int = 16 * 2**20


@dataclass(frozen=True)
class File:
    """parts : its folders and name, an archive counting as one;  data : where the bytes lie;  level : of archives"""

    parts: Parts
    data: Path
    level: int


@dataclass(frozen=True)
class Refused:
    """What was not taken, and why."""

    parts: Parts
    reason: str


@dataclass
class Delivery:
    """The files and what was refused."""

    files: list[File] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


class _Refusal(Exception):
    """An archive as a whole."""


def kind(name: str) -> str:
    """Whether a file is an archive, by its name: "zip", "tar", "unreadable", or "" for a plain file."""
    low = name.lower()
    kinds = (("zip", ZIPS), ("tar", TARS), ("unreadable", UNREADABLE))
    return next((k for k, ends in kinds if low.endswith(ends)), "")


def unpack(source: Path, staging: Path, limits: Limits | None = None) -> Delivery:
    """List a folder or an archive, archives inside included; what was packed is copied into `staging`.

    Raises CourseError if there is no such folder or archive.
    """
    reader = _Reader(staging, limits or Limits())
    if source.is_dir():
        reader.folder(source)
    elif source.is_file() and kind(source.name):
        reader.archive(source, (), 1, source.name)
    elif source.exists():
        raise CourseError(f"{source} is neither a folder nor a zip or tar. Give the download, or its folder.")
    else:
        raise CourseError(f"there is no {source}. Give the platform's download, or the folder with the work.")
    return reader.found


class _Reader:
    def __init__(self, staging: Path, limits: Limits) -> None:
        self.staging, self.limits, self.found = staging, limits, Delivery()
        self.count = self.total = self.staged = 0
        self.room = limits.files, limits.total_bytes

    def refuse(self, parts: Parts, reason: str) -> None:
        self.found.refused.append(Refused(parts, reason))

    def folder(self, root: Path) -> None:
        """The plain files of a folder; links are named, never followed."""
        paths: dict[Parts, Path] = {}
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(set(folders) - JUNK)
            for name in sorted(set(files) - JUNK) + [f for f in folders if (Path(folder) / f).is_symlink()]:
                path = Path(folder) / name
                paths[path.relative_to(root).parts] = path
        clashes = clashing(list(paths))
        for parts, path in paths.items():
            fault = name_fault("/".join(parts)) or (CLASH if parts in clashes else "")
            if path.is_symlink() or not path.is_file():
                fault = "a link" if path.is_symlink() else "not a plain file"
            if not fault and not os.access(path, os.R_OK):
                fault = "it cannot be read"
            if fault:
                self.refuse(parts, fault)
            elif kind(path.name):
                self.archive(path, parts, 1, path.name)
            elif path.stat().st_size > self.limits.file_bytes:
                self.refuse(parts, f"larger than {_size(self.limits.file_bytes)}")
            else:
                self.found.files.append(File(parts, path, 0))

    def archive(self, path: Path, trail: Parts, level: int, name: str) -> None:
        """An archive's files under `trail`, all or none."""
        before, count, total, staged = len(self.found.files), self.count, self.total, self.staged
        room, limits = self.room, self.limits
        if level == 1:  # what one of them holds is not counted against the next
            self.count = self.total = 0
            self.room = limits.files, limits.total_bytes
        else:
            self.room = (
                min(room[0], count + limits.nested_files),
                min(room[1], total + limits.nested_bytes),
            )
        try:
            if kind(name) == "unreadable":
                raise _Refusal("packed in a way that cannot be read here: unpack it, or ask for a zip")
            if level > LEVELS:
                raise _Refusal("an archive in an archive of an archive")
            try:
                (self._zip if kind(name) == "zip" else self._tar)(path, trail, level)
            except BROKEN as error:
                raise _Refusal(f"corrupt, it cannot be unpacked ({error})") from None
        except _Refusal as refusal:
            del self.found.files[before:]
            for number in range(staged + 1, self.staged + 1):
                (self.staging / f"{number:06d}").unlink(missing_ok=True)
            self.count, self.total = count, total
            self.refuse(trail or (name,), str(refusal))
        finally:
            self.room = room

    def _zip(self, path: Path, trail: Parts, level: int) -> None:
        if _directory_bytes(path) > self.limits.directory_bytes:
            raise _Refusal("too many files")
        with zipfile.ZipFile(path) as archive:
            infos = {
                info: parts
                for info in archive.infolist()
                if not info.orig_filename.endswith("/") and not set(parts := parts_of(_decoded(info))) & JUNK
            }
            if any(info.flag_bits & 1 for info in infos):
                raise _Refusal("encrypted: ask for it without a password")
            clashes = clashing(list(infos.values()))
            faults = {info: self._zip_fault(info, parts in clashes) for info, parts in infos.items()}
            for info, fault in faults.items():
                self._count(info.file_size if not fault else 0)
            for info, parts in infos.items():
                if faults[info]:
                    self.refuse(trail + parts or (info.filename,), faults[info])
                    continue
                try:
                    with archive.open(info) as stream:
                        self._take(stream, trail + parts, info.file_size, level)
                except BROKEN as error:
                    self.refuse(trail + parts, f"corrupt ({error})")

    def _zip_fault(self, info: zipfile.ZipInfo, clashes: bool) -> str:
        """Why one file of a zip is not taken, or ""."""
        limits, mode = self.limits, info.external_attr >> 16
        big = info.file_size > limits.ratio_from_bytes
        if stat.S_ISLNK(mode):
            return "a link"
        if stat.S_IFMT(mode) and not stat.S_ISREG(mode):
            return "a device"
        if info.file_size > limits.file_bytes:
            return f"larger than {_size(limits.file_bytes)}"
        if big and info.file_size > limits.ratio * max(info.compress_size, 1):
            return f"it unpacks to more than {limits.ratio} times its size"
        return name_fault(_decoded(info)) or (CLASH if clashes else "")

    def _tar(self, path: Path, trail: Parts, level: int) -> None:
        limits, packed = self.limits, max(path.stat().st_size, 1)
        with tarfile.open(path, "r:*") as archive:
            members = {}
            for member in archive:  # one header at a time: a bomb is met before it is unpacked
                self._count(member.size)
                unpacked = member.offset_data + member.size
                if unpacked > limits.ratio_from_bytes and unpacked > limits.ratio * packed:
                    raise _Refusal(f"it unpacks to more than {limits.ratio} times its size")
                if not member.isdir() and not set(parts := parts_of(member.name)) & JUNK:
                    members[member] = parts
            clashes = clashing(list(members.values()))
            for member, parts in members.items():
                fault = (
                    "" if member.isfile() else "a link" if member.issym() or member.islnk() else "a device"
                )
                fault = fault or name_fault(member.name) or (CLASH if parts in clashes else "")
                if member.size > limits.file_bytes:
                    fault = f"larger than {_size(limits.file_bytes)}"
                stream = None if fault else archive.extractfile(member)
                if stream is None:
                    self.refuse(trail + parts or (member.name,), fault or "not a plain file")
                else:
                    self._take(stream, trail + parts, member.size, level)

    def _count(self, size: int) -> None:
        """Keep account of what is to be unpacked, before it is."""
        self.count, self.total = self.count + 1, self.total + size
        if self.count > self.room[0]:
            raise _Refusal("too many files")
        if self.total > self.room[1]:
            raise _Refusal(f"it unpacks to more than {_size(self.room[1])}")

    def _take(self, stream: IO[bytes], parts: Parts, size: int, level: int) -> None:
        """Copy a file's bytes under a number, no more than were announced."""
        self.staged += 1
        path, left = self.staging / f"{self.staged:06d}", size
        with path.open("xb") as file:
            while block := stream.read(min(left + 1, 2**20)):
                left -= len(block)
                if left < 0:
                    raise ValueError("larger than it says")
                try:
                    file.write(block)
                except OSError as error:  # ours, not the archive's
                    raise CourseError(
                        f"{self.staging} cannot be written: {error.strerror}. Nothing was placed."
                    ) from error
        if kind(parts[-1]):
            self.archive(path, parts, level + 1, parts[-1])
        else:
            self.found.files.append(File(parts, path, level))


def _decoded(info: zipfile.ZipInfo) -> str:
    """A zip's name in full; Macs write UTF-8 without saying so."""
    name = info.orig_filename
    if not info.flag_bits & 0x800:
        try:
            return name.encode("cp437").decode()
        except UnicodeError:
            pass
    return name


def _directory_bytes(path: Path) -> int:
    """The size of a zip's list of files, which is read in one piece: looked up before it is."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 2**16 - 22 - 20))
        tail = file.read()
        at = tail.rfind(b"PK\5\6")
        if at < 0 or len(tail) < at + 22:
            raise zipfile.BadZipFile("not a zip")
        listed: int = struct.unpack_from("<L", tail, at + 12)[0]
        if listed == 0xFFFFFFFF and at >= 20 and tail[at - 20 : at - 16] == b"PK\6\7":
            file.seek(struct.unpack_from("<Q", tail, at - 12)[0])
            record = file.read(48)
            listed = struct.unpack_from("<Q", record, 40)[0]
    return listed


def _size(n: int) -> str:
    return f"{n / 2**20:g} MiB" if n < 2**30 else f"{n / 2**30:g} GiB"
