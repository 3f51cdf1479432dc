"""A hundred honest submissions, of every kind there is: `mlsys grade` and stock nbgrader give the same marks."""

import shutil
import sys

import pytest
from a_course import PS, start

from mlsys.grading import demo
from mlsys.grading.course import Course
from mlsys.grading.demo.answers import borrowed
from mlsys.grading.demo.corpus import honest
from mlsys.grading.scores import marks
from mlsys.problems import exercises

pytestmark = pytest.mark.slow
HALVES = (
    2  # of the class, each graded by a stock nbgrader of its own at the same time: it takes 2 s a student
)
LOST_BY_STOCK = "demo-honest-calls-exit"  # nbgrader gives up the notebook whose kernel goes away


@pytest.fixture(scope="module")
def graded(released, tmp_path_factory):
    """The class graded by us, and by whom of the stock graders each student was."""
    ours = tmp_path_factory.mktemp("ours") / "course"
    shutil.copytree(released, ours)
    known = demo.honest_class(Course(ours), PS, 100)
    students = sorted(known)
    stock = {}
    for half in range(HALVES):
        folder = tmp_path_factory.mktemp("stock") / "course"
        shutil.copytree(ours, folder)
        mine = students[half::HALVES]
        for student in set(students) - set(mine):
            shutil.rmtree(folder / "submitted" / student)
        stock |= dict.fromkeys(mine, folder)
    run = start([sys.executable, "-m", "mlsys.cli", "grade", PS], ours)
    out, err = run.communicate(timeout=900)
    assert run.returncode == 0, out + err
    runs = [
        start([sys.executable, "-m", "nbgrader", "autograde", PS], folder) for folder in {*stock.values()}
    ]
    for run in runs:
        run.communicate(timeout=1800)
    return known, Course(ours), {student: Course(folder) for student, folder in stock.items()}


def test_there_are_a_hundred_and_every_kind(graded):
    known, _, _ = graded
    assert len(known) >= 100
    assert {f"demo-{case.student}" for case in honest()} <= set(known)


def test_every_mark_is_the_same(graded):
    known, ours, stock = graded
    different = {}
    for student, expected in known.items():
        if student == LOST_BY_STOCK:
            continue
        mine, theirs = marks(ours, PS, student), marks(stock[student], PS, student)
        for name, pick in expected.get("answers", {}).items():
            if borrowed(name, pick):  # nbgrader's kernels find the package that the answer borrows from
                assert (student, mine.pop(name).score) == (student, 0)
                theirs.pop(name, None)
        if mine != theirs:
            different[student] = {name: (mine.get(name), theirs.get(name)) for name in {*mine, *theirs}}
            different[student] = {
                name: pair for name, pair in different[student].items() if pair[0] != pair[1]
            }
    assert different == {}


def test_what_stock_loses_has_its_marks_here(graded):
    known, ours, stock = graded
    mine, theirs = (marks(course, PS, LOST_BY_STOCK) for course in (ours, stock[LOST_BY_STOCK]))
    for name, (least, most) in known[LOST_BY_STOCK]["points"].items():
        assert least <= mine[name].score <= most
    assert sum(mine[name].score for name in exercises(PS)) > 0
    assert not any(mark.score for mark in theirs.values())
