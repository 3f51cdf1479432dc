"""What the tests of several folders share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Under `-n 2`: a file stays in one process, and so do all of grading's, whose classes take their time on both
    cores, share what was graded once and have limits of time."""
    from xdist.scheduler import LoadFileScheduling

    class GradingTogether(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "grading" if nodeid.startswith("tests/grading/") else super()._split_scope(nodeid)

    return GradingTogether(config, log)
