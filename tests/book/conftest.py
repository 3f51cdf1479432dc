"""The built book; `make book` builds it, and `make test` does that first."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from book_pages import HTML, Reader

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


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


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, driven by playwright."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.fail("no Chromium found: `apt install chromium`, or leave these out with -m 'not browser'")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()
