"""Walking through what strangers hand in: no link is followed, and no path is too long to be named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def entries(root: Path) -> Iterator[Path]:
    """Everything under a folder that is no folder itself, in order; folders that cannot be read are passed over."""
    for here, folders, names in os.walk(root):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(here, name))]
        yield from (Path(here) / name for name in sorted([*names, *links]))


def plain(path: Path) -> bool:
    """Whether it is a file, and no link, pipe or socket."""
    try:
        return path.is_file() and not path.is_symlink()
    except OSError:  # its path is longer than the system takes
        return False
