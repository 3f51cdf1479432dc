"""Files that are there whole or not at all, also after a crash or where the disk is full."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlsys.grading import crash

# What no submission can bring about: the machine's state, and not a student's file, is to blame.
OURS = {
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EIO", "ENOMEM", "EMFILE", "ENFILE")
    if hasattr(errno, name)
}


def machine_fault(error: BaseException) -> bool:
    """Whether the machine failed, rather than what was handed in."""
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in OURS)


def sync(path: Path) -> None:
    """See that a file, or the names in a folder, are on disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_tree(folder: Path) -> None:
    """See that a folder is on disk with everything in it."""
    for path in (*folder.rglob("*"), folder):
        if not path.is_symlink():
            sync(path)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, on disk."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync(path.parent)


@contextmanager
def swapped(moves: list[tuple[Path | None, Path, Path]]) -> Iterator[None]:
    """Put new folders in place and old ones aside; all is put back if what follows fails.

    moves : (the new folder, or None for nothing; its place; where the old one goes). A place holds the old folder or
        the new one and never a half of either, at worst neither: then the old one is aside.
    """
    undo: list[tuple[Path, Path]] = []
    try:
        for made, there, aside in moves:
            make_folder(there.parent)
            if there.exists():
                aside.parent.mkdir(parents=True, exist_ok=True)
                there.rename(aside)
                undo.append((aside, there))
            crash.point("displaced")
            if made is not None:
                made.rename(there)
                undo.append((there, made))
            sync(there.parent)
        yield
    except BaseException:
        for now, before in reversed(undo):
            now.rename(before)
        raise
