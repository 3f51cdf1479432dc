"""The graded class in nbgrader's formgrader, in a real browser."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from conftest import PS, environment

from mlsys.grading.course import Course
from mlsys.grading.scores import NOT_GRADED

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")


@pytest.fixture
def server(classes, tmp_path):
    """`mlsys mark` on a copy of the class that we graded; its address and folder."""
    folder = tmp_path / "course"
    shutil.copytree(classes["ours"], folder)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    running = subprocess.Popen(
        [sys.executable, "-m", "mlsys.cli", "mark", "--no-browser", "--port", str(port)],
        cwd=folder,
        env=environment() | {"JUPYTER_TOKEN": "token"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        assert soon(lambda: running.poll() is not None or answers(f"{address}/api"))
        assert running.poll() is None, "the server ended"
        yield address, folder
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(timeout=30)


def answers(address):
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except OSError:
        return False
    return True


def soon(true, within_s=60):
    """Whether it comes true within a time that only a broken machine would need."""
    end = time.monotonic() + within_s
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def marks_by_hand(course):
    with course.gradebook() as gradebook:
        submissions = gradebook.find_assignment(PS).submissions
        grades = [g for s in submissions for n in s.notebooks for g in n.grades]
        return [g.manual_score for g in grades if g.manual_score is not None]


def test_formgrader_shows_the_class_and_takes_a_mark(classes, server):
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "the browser tests need Chromium: apt install chromium"
    address, folder = server
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{address}/formgrader?token=token")  # where `mlsys mark` opens the browser
        page.locator("a", has_text=PS).first.wait_for()
        page.goto(f"{address}/formgrader/manage_submissions/{PS}")
        for student, row in classes["results"].items():
            text = page.locator("tr", has_text=student).inner_text()
            if row["status"] == NOT_GRADED:
                assert "needs autograding" in text
            else:
                assert f"{row['total']:g} / {row['max_total']:g}" in text
                assert ("needs manual grading" in text) == bool(row["awaiting"])
        page.goto(f"{address}/formgrader/gradebook/{PS}/{PS}")
        page.locator("a", has_text="Submission #1").first.click()
        page.locator("input.score").first.wait_for()
        assert page.locator("input.score").count() == len(classes["results"]["demo-ada"]["marks"])
        loaded = "document.querySelector('input.score').placeholder !== ''"
        page.wait_for_function(loaded)  # the marks so far, which come after the page
        page.locator("input.score").last.fill("1.5")
        page.locator("input.score").last.press("Tab")
        course = Course(folder)
        assert soon(lambda: marks_by_hand(course) == [1.5], within_s=20)
        browser.close()
