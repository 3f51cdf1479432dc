"""A grader that is ended by force: everything that it began ends with it."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from a_course import PS, environment
from crashing import FIRST, hand_in
from processes import alive, family

from mlsys.grading.course import Course
from mlsys.grading.engine.warm import PACKAGE

SCRIPT = """
from mlsys.grading.course import Course
from mlsys.grading.grade import How, grade
for result in grade(Course("."), {ps!r}, {students!r}, How(jobs=2)):
    print(result.student, flush=True)
"""


def begun(course, students):
    """A real grader in a process of its own."""
    script = SCRIPT.format(ps=PS, students=students)
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=course.root,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


SLEEP = """
import subprocess, time
subprocess.Popen(["sleep", "600"], start_new_session=True)
time.sleep(50)
"""


def sleeping(course, student):
    """Hand in a notebook that says nothing for a minute, and starts what would outlive it."""
    path = hand_in(course, student, FIRST)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(1, nbformat.v4.new_code_cell(SLEEP))
    nbformat.write(notebook, path)


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_nothing_outlives_the_grader(released, tmp_path, number):
    shutil.copytree(released, tmp_path / "course")
    course = Course(tmp_path / "course")
    sleeping(course, "ann")
    sleeping(course, "bob")
    grader = begun(course, ["ann", "bob"])
    people = []
    for _ in range(2400):
        people = family(grader.pid)
        if sum(_is_sleeping(n) for n, _ in people) == 2:
            break
        time.sleep(0.05)
    else:
        grader.kill()
        pytest.fail(f"the notebooks did not start: {grader.communicate()}")
    cwds = {_cwd(number) for number, _ in people}
    packages = {path for path in cwds if path.name.startswith(PACKAGE)}
    began = time.monotonic()
    grader.send_signal(number)
    _, said = grader.communicate(timeout=20)
    assert grader.returncode != 0
    if number == signal.SIGINT:
        assert "stopped" in said
    while alive(people) and time.monotonic() < began + 10:
        time.sleep(0.05)
    assert alive(people) == []
    assert packages
    assert not any(package.exists() for package in packages)


def _cwd(pid):
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return Path()


def _is_sleeping(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:2] == [b"sleep", b"600"]
    except OSError:
        return False
