"""A student in JupyterLab, in a real browser: open the notebook, answer, check, save."""

import shutil
import sys

import nbformat
import pytest
from a_course import NOTEBOOK, PS, REPOSITORY
from lab import serving, soon

from mlsys.problems import grader, problem

pytestmark = pytest.mark.browser

NAME = "adagrad.running"


@pytest.fixture
def server(tmp_path):
    """`jupyter lab exercises`, as `make lab` starts it; its address and the folder."""
    shutil.copytree(REPOSITORY / "exercises", tmp_path / "exercises")
    # Settings of its own: whoever runs the tests may have hidden the dialogs, or opened other files.
    own = {f"JUPYTERLAB_{what}_DIR": str(tmp_path / what) for what in ("SETTINGS", "WORKSPACES")}
    command = [sys.executable, "-m", "jupyterlab", "exercises", "--no-browser", "--allow-root"]
    with serving(command, "--ServerApp.port={port}", tmp_path, own) as address:
        yield address, tmp_path / "exercises" / PS / NOTEBOOK


def test_a_student_answers_checks_and_saves(server, browser):
    address, file = server
    task = problem(NAME)
    answer = grader(NAME).right["loops"].source(task.target)
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}/lab/tree/{PS}/{NOTEBOOK}?token=token")
    cells = page.locator(".jp-CodeCell")
    run = "Shift+Enter"
    page.get_by_text("(ipykernel) | Idle").wait_for(timeout=60_000)  # before, a run is dropped
    imports = cells.filter(has_text="from mlsys.grading import check").first
    imports.locator(".cm-content").click()
    page.keyboard.press(run)
    mine = cells.filter(has_text=f"def {task.target}(").first
    mine.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(answer)
    page.keyboard.press(run)  # which moves on to the check
    page.keyboard.press(run)
    checked = cells.filter(has_text=f'check("{NAME}"').first
    full = f"{NAME}: {task.points:g} of {task.points:g} points"
    checked.locator(".jp-OutputArea-output", has_text=full).wait_for(timeout=60_000)
    page.keyboard.press("Control+s")
    assert soon(lambda: full in file.read_text(), within_s=20), "the score was not saved"
    page.close()
    saved = {cell.id: cell for cell in nbformat.read(file, as_version=4).cells}
    assert saved[NAME.replace(".", "-")].source.strip() == answer.strip()
