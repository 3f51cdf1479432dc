"""What the tests of several folders share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, driven by playwright; one for the whole run, since its driver can be started once a thread."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.fail("no Chromium found: `apt install chromium`, or leave these out with -m 'not browser'")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Under `-n 2 --dist loadgroup`: a file stays in one process, and so does all of grading, whose classes take their
    time on both cores, share what was graded once and have limits of time."""
    for item in items:
        parts = item.path.relative_to(HERE).parts
        group = "grading" if parts[0] == "grading" else "/".join(parts)
        item.add_marker(pytest.mark.xdist_group(group))
