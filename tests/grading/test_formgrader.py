"""The graded class in nbgrader's formgrader, in a real browser."""

import shutil
import sys

import pytest
from a_course import PS
from lab import serving, soon

from mlsys.grading.course import Course
from mlsys.grading.scores import NOT_GRADED

pytestmark = pytest.mark.browser


@pytest.fixture
def server(classes, tmp_path):
    """`mlsys mark` on a copy of the class that we graded; its address and folder."""
    folder = tmp_path / "course"
    shutil.copytree(classes["ours"], folder)
    command = [sys.executable, "-m", "mlsys.cli", "mark", "--no-browser"]
    with serving(command, "--port {port}", folder) as address:
        yield address, folder


def marks_by_hand(course):
    with course.gradebook() as gradebook:
        submissions = gradebook.find_assignment(PS).submissions
        grades = [g for s in submissions for n in s.notebooks for g in n.grades]
        return [g.manual_score for g in grades if g.manual_score is not None]


def test_formgrader_shows_the_class_and_takes_a_mark(classes, server, browser):
    address, folder = server
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
    page.close()
