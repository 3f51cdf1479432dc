"""The built book; `make book` builds it, and `make test` does that first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from book_pages import HTML, Reader


@pytest.fixture(scope="session")
def html() -> Path:
    """The folder of the built book."""
    if not (HTML / "index.html").exists():
        pytest.fail("the book is not built: run `make book` first")
    return HTML


@pytest.fixture(scope="session")
def read(html: Path) -> Any:
    """Parsed pages by their name, each parsed once."""
    seen: dict[Path, Reader] = {}

    def reader(name: str | Path) -> Reader:
        path = html / f"{name}.html" if isinstance(name, str) else name
        if path not in seen:
            seen[path] = Reader(path.read_text(encoding="utf-8"))
        return seen[path]

    return reader
